//! What can be set on a server.

use std::io;
use std::time::Duration;

use crate::net::address::BACKLOG;
use crate::net::closing::HANDSHAKE_GRACE;
use crate::net::connections::check_limit;
use crate::net::listeners::Sharing;
#[cfg(feature = "proxy-protocol")]
use crate::net::proxy::ProxyProtocol;

/// The limits and timeouts of a server. The setters of [`Server`](super::Server) describe them.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) lame_duck: Duration,
    pub(super) lame_duck_quiet: Duration,
    /// `None` leaves the deadline to the group.
    pub(super) drain_timeout: Option<Duration>,
    pub(super) cancel_timeout: Duration,
    pub(super) handshake_grace: Duration,
    pub(super) spread: Duration,
    pub(super) idle_grace: Duration,
    pub(super) new_conn_grace: Duration,
    pub(super) drain_head_timeout: Duration,
    pub(super) head_timeout: Duration,
    pub(super) body_timeout: Duration,
    pub(super) keep_alive_timeout: Duration,
    pub(super) write_timeout: Duration,
    pub(super) max_head: usize,
    pub(super) max_body: u64,
    pub(super) max_connections: usize,
    pub(super) max_connection_age: Duration,
    pub(super) max_requests: u64,
    pub(super) max_in_flight: usize,
    pub(super) handler_timeout: Duration,
    pub(super) half_close: bool,
    pub(super) linger: Duration,
    pub(super) listener_shared: Sharing,
    pub(super) wait_upgraded: bool,
    pub(super) backlog: u32,
    pub(super) panics_fail: bool,
    /// From whom a PROXY header is required; `None` if from nobody.
    #[cfg(feature = "proxy-protocol")]
    pub(super) proxies: Option<ProxyProtocol>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lame_duck: Duration::ZERO,
            lame_duck_quiet: Duration::MAX,
            drain_timeout: None,
            cancel_timeout: Duration::from_millis(500),
            handshake_grace: HANDSHAKE_GRACE,
            spread: Duration::ZERO,
            idle_grace: Duration::from_secs(1),
            new_conn_grace: Duration::from_secs(1),
            drain_head_timeout: Duration::from_secs(5),
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            keep_alive_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            max_head: 16 * 1024,
            max_body: u64::MAX,
            max_connections: usize::MAX,
            max_connection_age: Duration::MAX,
            max_requests: u64::MAX,
            max_in_flight: usize::MAX,
            handler_timeout: Duration::MAX,
            half_close: false,
            linger: Duration::from_millis(500),
            listener_shared: Sharing::IfAdopted,
            wait_upgraded: true,
            backlog: BACKLOG,
            panics_fail: false,
            #[cfg(feature = "proxy-protocol")]
            proxies: None,
        }
    }
}

impl Settings {
    /// Checks that something can be served with these settings.
    ///
    /// # Errors
    ///
    /// A limit is zero; the error says which.
    pub(super) fn check(&self) -> io::Result<()> {
        check_limit(self.max_connections)?;
        let limits = [
            (self.max_requests == 0, "of requests of a connection"),
            (self.max_in_flight == 0, "of requests in flight"),
        ];
        match limits.iter().find(|(is_zero, _)| *is_zero) {
            Some((_, which)) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("the limit {which} is zero: no request could be served"),
            )),
            None => Ok(()),
        }
    }
}
