//! The PROXY protocol, as far as HTTP knows of it.

use std::sync::Arc;

use super::drain::Noted;
use super::request_context::{Arrival, RequestContext};
use super::server::Server;
use crate::net::proxy::{ProxyInfo, ProxyProtocol};
use crate::net::stream::Stream;

/// # PROXY protocol
impl<A> Server<A> {
    /// Requires a header of the PROXY protocol from these peers, and from nobody else. **From none** by default.
    ///
    /// The client that the header names is then the peer of each request:
    /// [`RequestContext::peer`], and `peer_addr()` of tide. [`ProxyProtocol`] says what becomes of
    /// other peers, of health checks, and how long a header is waited for. With [`tls`](Server::tls), the header is
    /// in front of the handshake, whose time begins behind it.
    ///
    /// For a balancer that works below HTTP (`mode tcp` of HAProxy, `stream` of nginx, network balancers of clouds), with one
    /// connection for each client. One that speaks HTTP shares its connections between clients, and must not send a header of the
    /// first one for all (section 2): it sends `X-Forwarded-For`.
    ///
    /// # Examples
    ///
    /// ```
    /// use axum::{Extension, Router, routing::get};
    /// use neap::http::{self, RequestContext};
    /// use neap::net::ProxyProtocol;
    ///
    /// let app = Router::new().route("/", get(async |Extension(context): Extension<RequestContext>| {
    ///     match context.proxy() {
    ///         Some(proxy) => format!("{} by way of {}", context.peer(), proxy.addr()),
    ///         None => format!("{}", context.peer()),
    ///     }
    /// }));
    /// let proxies = ProxyProtocol::from_peers(["10.0.0.0/8"])?.serve_others(true);
    /// let server = http::Server::new(http::service(app), "127.0.0.1:0").proxy_protocol(&proxies);
    /// # drop(server);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn proxy_protocol(mut self, proxies: impl Into<ProxyProtocol>) -> Self {
        let proxies = proxies.into();
        self.binding.set_proxies(proxies.clone());
        self.settings.proxies = Some(proxies);
        self
    }
}

impl RequestContext {
    /// Returns what the proxy in front has said of the connection by the PROXY protocol, and its own address; `None` if
    /// the connection has come from a peer that no header is required from, as all are by default.
    #[must_use]
    pub fn proxy(&self) -> Option<&ProxyInfo> {
        self.arrival.proxy.as_deref()
    }
}

impl Arrival {
    /// Returns that of the same connection, whose client is known now.
    pub(super) fn introduced(&self, stream: &Stream) -> Arrival {
        Arrival {
            lifecycle: Arc::clone(&self.lifecycle),
            local: stream.local_addr().clone(),
            peer: stream.peer_addr().clone(),
            turn: self.turn,
            noted: Noted::default(),
            is_secure: self.is_secure,
            #[cfg(feature = "tls")]
            tls: Default::default(),
            proxy: stream.proxy_shared(),
        }
    }
}
