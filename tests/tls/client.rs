//! A client that speaks TLS, on a socket that blocks.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::pki_types::pem::PemObject;
use futures_rustls::rustls::pki_types::{CertificateDer, ServerName};
use futures_rustls::rustls::{
    ALL_VERSIONS, ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) type Client = StreamOwned<ClientConnection, TcpStream>;

/// Makes the configuration of clients that trust these certificates.
pub(crate) fn trusting(chains: &[&[u8]]) -> ClientConfig {
    trusting_in(ALL_VERSIONS, chains)
}

/// Makes the configuration of clients that trust these certificates, and speak these versions.
pub(crate) fn trusting_in(
    versions: &[&'static SupportedProtocolVersion],
    chains: &[&[u8]],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for chain in chains {
        roots
            .add(CertificateDer::from_pem_slice(chain).unwrap())
            .unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_protocol_versions(versions).unwrap();
    config.with_root_certificates(roots).with_no_client_auth()
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
