//! A client that speaks TLS, on a socket that blocks.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use futures_rustls::rustls::client::WantsClientCert;
use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::pki_types::pem::PemObject;
use futures_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use futures_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use futures_rustls::rustls::{
    ALL_VERSIONS, ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};

use crate::pems::Pems;

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) type Client = StreamOwned<ClientConnection, TcpStream>;

/// Makes the configuration of clients that trust these certificates.
pub(crate) fn trusting(chains: &[&[u8]]) -> ClientConfig {
    trusting_in(ALL_VERSIONS, chains)
}

/// Makes the configuration of clients that trust these certificates, and speak these versions.
pub(crate) fn trusting_in(versions: &[Version], chains: &[&[u8]]) -> ClientConfig {
    builder(versions, chains).with_no_client_auth()
}

/// Makes the configuration of clients that show a certificate if they are asked, whether it is asked for or not.
pub(crate) fn showing(versions: &[Version], chains: &[&[u8]], own: &Pems) -> ClientConfig {
    let chain = CertificateDer::pem_slice_iter(&own.chain).map(Result::unwrap);
    let key = PrivateKeyDer::from_pem_slice(&own.key).unwrap();
    let key = ring::sign::any_supported_type(&key).unwrap();
    let own = CertifiedKey::new(chain.collect(), key);
    let config = builder(versions, chains);
    config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own)))
}

type Version = &'static SupportedProtocolVersion;

fn builder(versions: &[Version], chains: &[&[u8]]) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    for chain in chains {
        roots
            .add(CertificateDer::from_pem_slice(chain).unwrap())
            .unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_protocol_versions(versions).unwrap();
    config.with_root_certificates(roots)
}

/// Connects. The handshake begins with the first write or read.
pub(crate) fn connect(addr: SocketAddr, config: &Arc<ClientConfig>) -> std::io::Result<Client> {
    let stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(Arc::clone(config), name).unwrap();
    Ok(StreamOwned::new(session, stream))
}

/// Sends a request that closes the connection, and returns all that comes.
pub(crate) fn ask(client: &mut Client) -> std::io::Result<String> {
    client.write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    Ok(answer)
}
