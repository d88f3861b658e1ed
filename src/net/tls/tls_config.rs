//! How a server speaks TLS.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::{ServerConfig, ServerConnection};

use super::certificates::Certificates;
use super::sessions::Sessions;
use super::tls_session::TlsSession;

/// How long a handshake may take, unless another time is set.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How a server speaks TLS: the certificates that it shows, and settings.
///
/// It is TLS 1.3 and 1.2 with the cipher suites of rustls. Clients are not asked for certificates, and
/// early data is not accepted: it can be replayed (RFC 8446, 8). Sessions are resumed, the last 256 of a server,
/// until its certificates are replaced, or it ends.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use neap::net::{self, Certificates, TlsConfig};
///
/// let certificates = Certificates::from_files("chain.pem", "key.pem")?;
/// let tls = TlsConfig::new(&certificates).handshake_timeout(Duration::from_secs(3)).alpn(["imap"]);
/// let server = net::Server::new("[::]:993", async |_, _| {}).tls(tls);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
#[must_use = "a configuration does nothing until a server has it"]
pub struct TlsConfig {
    certificates: Certificates,
    handshake_timeout: Duration,
    alpn: Vec<Vec<u8>>,
}

impl TlsConfig {
    /// Makes a configuration with these certificates, and all settings at their defaults.
    pub fn new(certificates: &Certificates) -> TlsConfig {
        TlsConfig {
            certificates: certificates.clone(),
            handshake_timeout: HANDSHAKE_TIMEOUT,
            alpn: Vec::new(),
        }
    }

    /// Sets how long a handshake may take, counted from the accept. After that the connection is closed.
    /// **10 s** by default.
    ///
    /// Until then the connection counts as one, also for `max_connections`.
    pub fn handshake_timeout(mut self, timeout: Duration) -> TlsConfig {
        self.handshake_timeout = timeout;
        self
    }

    /// Sets the protocols that the server speaks, the one that it likes best first (ALPN, RFC 7301). **None**
    /// by default: what a client offers is then left unanswered.
    ///
    /// A client that offers protocols, and none of these, is refused. A server of `http` speaks `http/1.1`
    /// and `http/1.0`, whatever is set here.
    pub fn alpn<P: AsRef<[u8]>>(mut self, protocols: impl IntoIterator<Item = P>) -> TlsConfig {
        let protocols = protocols.into_iter();
        self.alpn = protocols.map(|name| name.as_ref().to_vec()).collect();
        self
    }

    /// Makes what makes the connections of one server.
    ///
    /// # Errors
    ///
    /// The library takes none of the versions: it never says so.
    pub(crate) fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions();
        let builder = builder.map_err(io::Error::other)?;
        let resolver = self.certificates.resolver();
        let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols.clone_from(&self.alpn);
        config.session_storage = Arc::new(Sessions::new(&self.certificates));
        Ok(TlsAcceptor {
            config: Arc::new(config),
            handshake_timeout: self.handshake_timeout,
        })
    }
}

impl From<&Certificates> for TlsConfig {
    fn from(certificates: &Certificates) -> TlsConfig {
        TlsConfig::new(certificates)
    }
}

impl From<Certificates> for TlsConfig {
    fn from(certificates: Certificates) -> TlsConfig {
        TlsConfig::new(&certificates)
    }
}

/// Makes the TLS sessions of one server, which share what they remember for those that come back.
#[derive(Clone)]
pub(crate) struct TlsAcceptor {
    config: Arc<ServerConfig>,
    pub(crate) handshake_timeout: Duration,
}

impl TlsAcceptor {
    /// Makes the session of a connection that has just been accepted.
    pub(in crate::net) fn session(&self) -> TlsSession {
        let session = ServerConnection::new(Arc::clone(&self.config));
        TlsSession::new(session.map(Into::into))
    }
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig")
            .field("certificates", &self.certificates)
            .field("handshake_timeout", &self.handshake_timeout)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TlsAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsAcceptor")
            .field("handshake_timeout", &self.handshake_timeout)
            .finish_non_exhaustive()
    }
}
