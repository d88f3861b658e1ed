//! What makes the TLS sessions of one server.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::server::NoServerSessionStorage;
use rustls::{ConfigBuilder, ServerConfig, ServerConnection, WantsVerifier};

use super::sessions::Sessions;
use super::tls_config::TlsConfig;
use super::tls_session::TlsSession;
use crate::sync::{Mutex, lock};

/// Makes the TLS sessions of one server, which share what they remember for those that come back.
#[derive(Clone)]
pub(crate) struct TlsAcceptor {
    pub(crate) handshake_timeout: Duration,
    configs: Arc<Configs>,
}

/// What the library knows of a server. It cannot be changed, so it is made anew for other authorities.
struct Configs {
    tls: TlsConfig,
    /// With a provider and versions, which never change.
    builder: ConfigBuilder<ServerConfig, WantsVerifier>,
    /// The present one, and of which authorities it is.
    present: Mutex<(usize, Arc<ServerConfig>)>,
}

impl TlsAcceptor {
    /// Makes that of a server with this configuration.
    ///
    /// # Errors
    ///
    /// The library takes none of the versions: it never says so.
    pub(crate) fn new(tls: &TlsConfig) -> io::Result<TlsAcceptor> {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions();
        let builder = builder.map_err(io::Error::other)?;
        let generation = generation(tls);
        let config = Arc::new(config(tls, builder.clone()));
        Ok(TlsAcceptor {
            handshake_timeout: tls.handshake_timeout,
            configs: Arc::new(Configs {
                tls: tls.clone(),
                builder,
                present: Mutex::new((generation, config)),
            }),
        })
    }

    /// Makes the session of a connection that has just been accepted.
    pub(in crate::net) fn session(&self) -> TlsSession {
        let session = ServerConnection::new(self.configs.present());
        TlsSession::new(session.map(Into::into))
    }
}

impl Configs {
    /// Returns that of the present authorities.
    fn present(&self) -> Arc<ServerConfig> {
        // Read before the authorities themselves: those that are newer are found out the next time.
        let generation = generation(&self.tls);
        let mut present = lock(&self.present);
        if present.0 != generation {
            let config = config(&self.tls, self.builder.clone());
            *present = (generation, Arc::new(config));
        }
        Arc::clone(&present.1)
    }
}

/// Returns how often the authorities of clients were replaced.
fn generation(tls: &TlsConfig) -> usize {
    let clients = tls.clients.as_ref();
    clients.map_or(0, |clients| clients.authorities.generation())
}

/// Returns what the library is to know.
fn config(tls: &TlsConfig, builder: ConfigBuilder<ServerConfig, WantsVerifier>) -> ServerConfig {
    let builder = match &tls.clients {
        Some(clients) => {
            let verifier = clients.authorities.verifier(clients.required);
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(tls.certificates.resolver());
    config.alpn_protocols.clone_from(&tls.alpn);
    if tls.clients.is_some() {
        // A session that is resumed shows no certificate.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    } else {
        config.session_storage = Arc::new(Sessions::new(&tls.certificates));
    }
    config
}

impl fmt::Debug for TlsAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsAcceptor")
            .field("handshake_timeout", &self.handshake_timeout)
            .finish_non_exhaustive()
    }
}
