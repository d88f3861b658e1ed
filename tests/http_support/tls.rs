//! TLS below the servers and the clients of the tests in `tests/http_tls`.

use std::io::{Read, Result, Write};
use std::net::TcpStream;
use std::sync::{Arc, OnceLock};

use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::pki_types::pem::PemObject;
use futures_rustls::rustls::pki_types::{CertificateDer, ServerName};
use futures_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};
use neap::http::Server;
use neap::net::Certificates;

use super::pems::Pems;

/// Whether this test binary has TLS below it all.
const IS_OVER_TLS: bool = matches!(env!("CARGO_CRATE_NAME").as_bytes(), b"http_tls");

/// Has a server speak TLS, if all do.
pub(super) fn secure<A>(server: Server<A>) -> Server<A> {
    if !IS_OVER_TLS {
        return server;
    }
    let Pems { chain, key } = Pems::usual();
    server.tls(Certificates::from_pem(chain, key).unwrap())
}

/// The session of a client. The handshake begins with its first write or read.
pub(super) struct Session {
    session: ClientConnection,
    has_begun: bool,
}

/// Returns the session of a client, if all have one.
pub(super) fn session() -> Option<Session> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if !IS_OVER_TLS {
        return None;
    }
    let config = CONFIG.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(&Pems::usual().chain).unwrap())
            .unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots);
        Arc::new(config.with_no_client_auth())
    });
    let name = ServerName::try_from("localhost").unwrap();
    Some(Session {
        session: ClientConnection::new(Arc::clone(config), name).unwrap(),
        has_begun: false,
    })
}

impl Session {
    pub(super) fn write(&mut self, stream: &mut TcpStream, bytes: &[u8]) -> Result<()> {
        self.has_begun = true;
        let mut stream = Stream::new(&mut self.session, stream);
        stream.write_all(bytes)?;
        stream.flush()
    }

    /// Writes what can be written without an answer. The rest goes with the next read.
    pub(super) fn begin(&mut self, stream: &mut TcpStream, bytes: &[u8]) {
        self.has_begun = true;
        self.session.writer().write_all(bytes).unwrap();
        self.flush(stream);
    }

    fn flush(&mut self, stream: &mut TcpStream) {
        while self.session.wants_write() {
            self.session.write_tls(stream).unwrap();
        }
    }

    pub(super) fn read(&mut self, stream: &mut TcpStream, out: &mut [u8]) -> Result<usize> {
        if self.has_begun {
            return Stream::new(&mut self.session, stream).read(out);
        }
        // A client that has said nothing is told of the end in the clear, by an alert.
        let mut alert = Vec::new();
        stream.read_to_end(&mut alert)?;
        assert!(matches!(*alert, [21, 3, _, 0, 2, 1, 0]), "{alert:?}");
        Ok(0)
    }

    pub(super) fn end(&mut self, stream: &mut TcpStream) {
        self.session.send_close_notify();
        self.flush(stream);
    }
}
