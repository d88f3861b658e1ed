//! A line protocol over TLS: futures-rustls on the connections of `net`.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use async_io::Async;
use futures_lite::future::block_on;
use futures_lite::io::BufReader;
use futures_lite::{AsyncBufReadExt, AsyncWriteExt, StreamExt};
use futures_rustls::rustls::pki_types::pem::PemObject;
use futures_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use futures_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use futures_rustls::{TlsAcceptor, TlsConnector};
use neap::net::{Server, Stream};
use neap::{Group, Handle, StopToken};

use crate::runtimes;

const CERTIFICATE: &[u8] = include_bytes!("localhost.pem");
const KEY: &[u8] = include_bytes!("localhost.key");

/// Sends each line back in capitals, and says good-bye at the stop.
async fn shout(tls: TlsAcceptor, stream: Stream, token: StopToken) -> anyhow::Result<()> {
    let mut stream = BufReader::new(tls.accept(stream).await?);
    let mut line = String::new();
    while let Some(read) = token.run_until_stopped(stream.read_line(&mut line)).await {
        if read? == 0 {
            return Ok(());
        }
        stream
            .get_mut()
            .write_all(line.to_uppercase().as_bytes())
            .await?;
        line.clear();
    }
    stream.get_mut().write_all(b"good-bye\n").await?;
    Ok(stream.get_mut().close().await?)
}

fn server_config() -> anyhow::Result<ServerConfig> {
    let certificates = vec![CertificateDer::from_pem_slice(CERTIFICATE)?];
    let key = PrivateKeyDer::from_pem_slice(KEY)?;
    let config = ServerConfig::builder().with_no_client_auth();
    Ok(config.with_single_cert(certificates, key)?)
}

/// Returns the program, and the address that it has bound.
fn program() -> anyhow::Result<(Group<'static>, SocketAddr)> {
    let tls = TlsAcceptor::from(Arc::new(server_config()?));
    let handler = move |stream, token| shout(tls.clone(), stream, token);
    let server = Server::new("127.0.0.1:0", handler).bind()?;
    let addr = server.local_addrs()[0].tcp().unwrap();
    let mut group = Group::new();
    group.add("lines", server.into_service());
    Ok((group, addr))
}

/// Sends two lines, stops the group, and returns the lines that come back.
async fn ask(addr: SocketAddr, handle: Handle<'_>) -> io::Result<Vec<String>> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(CERTIFICATE).unwrap())
        .unwrap();
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = Async::<TcpStream>::connect(addr).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, stream).await?;
    stream.write_all(b"one\ntwo\n").await?;
    let mut lines = BufReader::new(stream).lines();
    let mut answers = Vec::new();
    while let Some(line) = lines.next().await {
        answers.push(line?);
        if answers.len() == 2 {
            break;
        }
    }
    handle.stop();
    while let Some(line) = lines.next().await {
        answers.push(line?);
    }
    Ok(answers)
}

#[test]
fn lines_over_tls_are_answered_and_the_stop_says_good_bye() {
    runtimes::limited(|| {
        let (group, addr) = program().unwrap();
        let handle = group.handle();
        let (ended, answers) = block_on(futures_lite::future::zip(group.run(), ask(addr, handle)));
        assert_eq!(answers.unwrap(), ["ONE", "TWO", "good-bye"]);
        ended.unwrap();
    });
}
