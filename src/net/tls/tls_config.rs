//! How a server speaks TLS.

use std::fmt;
use std::time::Duration;

use super::certificates::Certificates;
use super::client_authorities::ClientAuthorities;

/// How long a handshake may take, unless another time is set.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How a server speaks TLS: the certificates that it shows, and settings.
///
/// It is TLS 1.3 and 1.2 with the cipher suites of rustls. Clients are not asked for certificates, unless
/// [that is set](TlsConfig::require_client_certificate), and early data is not accepted: it can be replayed (RFC 8446, 8).
/// Sessions are resumed, the last 256 of a server, until its certificates are replaced, or it ends.
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
    pub(super) certificates: Certificates,
    pub(super) handshake_timeout: Duration,
    pub(super) alpn: Vec<Vec<u8>>,
    /// What clients have to show; `None` if they are not asked.
    pub(super) clients: Option<Clients>,
}

/// What clients have to show.
#[derive(Debug, Clone)]
pub(super) struct Clients {
    pub(super) authorities: ClientAuthorities,
    /// Whether one without a certificate is refused.
    pub(super) required: bool,
}

impl TlsConfig {
    /// Makes a configuration with these certificates, and all settings at their defaults.
    pub fn new(certificates: &Certificates) -> TlsConfig {
        TlsConfig {
            certificates: certificates.clone(),
            handshake_timeout: HANDSHAKE_TIMEOUT,
            alpn: Vec::new(),
            clients: None,
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

    /// Has each client show a certificate that one of these authorities has signed. **Not so** by default.
    ///
    /// A client without one is refused, before a handler knows of it. [`TlsInfo::client_certificates`](super::super::TlsInfo::client_certificates)
    /// has what was shown: who the client is, and what it may do, is the handler's to say.
    ///
    /// Sessions are not resumed then: each handshake shows the certificate again, so that one that has run out, or
    /// whose authority is gone, is refused from then on. It replaces an earlier
    /// [`request_client_certificate`](TlsConfig::request_client_certificate).
    pub fn require_client_certificate(self, authorities: &ClientAuthorities) -> TlsConfig {
        self.with_clients(authorities, true)
    }

    /// Asks each client for a certificate that one of these authorities has signed. **Not so** by default.
    ///
    /// A client may have none: then the handler knows of none. One that shows a certificate which no authority has
    /// signed, or which has run out, is refused. It replaces an earlier
    /// [`require_client_certificate`](TlsConfig::require_client_certificate), and sessions are not resumed either.
    pub fn request_client_certificate(self, authorities: &ClientAuthorities) -> TlsConfig {
        self.with_clients(authorities, false)
    }

    fn with_clients(mut self, authorities: &ClientAuthorities, required: bool) -> TlsConfig {
        let authorities = authorities.clone();
        self.clients = Some(Clients {
            authorities,
            required,
        });
        self
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

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig")
            .field("certificates", &self.certificates)
            .field("handshake_timeout", &self.handshake_timeout)
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}
