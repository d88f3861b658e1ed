//! The other side of TLS: a client, for the test kit.

use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::tls_session::TlsSession;

/// Makes the TLS sessions of clients that trust certain certificates, and ask for `localhost`.
#[derive(Debug, Clone)]
pub(crate) struct TlsClient {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl TlsClient {
    /// Makes one that trusts these certificates, which are PEM.
    ///
    /// # Errors
    ///
    /// They are malformed, or there are none.
    pub(crate) fn new(roots: &[u8]) -> io::Result<TlsClient> {
        let invalid = |error: &dyn std::fmt::Display| {
            let error = format!("the certificates to trust: {error}");
            io::Error::new(io::ErrorKind::InvalidData, error)
        };
        let mut store = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(roots) {
            let root = root.map_err(|error| invalid(&error))?;
            store.add(root).map_err(|error| invalid(&error))?;
        }
        if store.is_empty() {
            return Err(invalid(&"there are none"));
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| invalid(&error))?;
        let mut config = builder.with_root_certificates(store).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Each connection is like the first.
        config.resumption = Resumption::disabled();
        let name = ServerName::try_from("localhost").map_err(|error| invalid(&error))?;
        Ok(TlsClient {
            config: Arc::new(config),
            name,
        })
    }

    pub(in crate::net) fn session(&self) -> TlsSession {
        let session = ClientConnection::new(Arc::clone(&self.config), self.name.clone());
        TlsSession::new(session.map(Into::into))
    }
}
