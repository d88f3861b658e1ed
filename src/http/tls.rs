//! TLS, as far as HTTP knows of it.

use std::io;

use super::context::ServerContext;
use super::request_context::RequestContext;
use super::server::Server;
use crate::net::tls::{TlsAcceptor, TlsConfig, TlsInfo};

/// # TLS
impl<A> Server<A> {
    /// Has the server speak TLS, and nothing else. **In the clear** by default.
    ///
    /// `tls` is a [`TlsConfig`], or [`Certificates`](crate::net::Certificates) with all settings at their
    /// defaults. The protocol is `http/1.1`, or `http/1.0` (ALPN, RFC 7301): a client that offers only others, `h2`
    /// for one, is refused.
    ///
    /// The drain is the same. A client that is in its handshake when the server is told to stop, or is in the
    /// kernel's queue, goes on with it, and its first request is answered. A handshake counts from the accept:
    ///
    /// - It may take the [`handshake_timeout`](TlsConfig::handshake_timeout), 10 s by default.
    /// - In a drain, a client that has sent nothing is waited for as one without TLS is, for the
    ///   [`new_conn_grace`](Server::new_conn_grace), and one that has begun its handshake for the
    ///   [`drain_head_timeout`](Server::drain_head_timeout) from the begin of the drain on. When the handshake is
    ///   over, the `new_conn_grace` begins anew, for the first request.
    ///
    /// A handshake that fails costs its connection, and is logged at the level DEBUG.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use axum::{Extension, Router, routing::get};
    /// use neap::http::{self, RequestContext};
    /// use neap::net::Certificates;
    ///
    /// let certificates = Certificates::from_files("chain.pem", "key.pem")?;
    /// let app = Router::new().route("/", get(async |Extension(context): Extension<RequestContext>| {
    ///     let name = context.tls().and_then(|tls| tls.server_name());
    ///     format!("this is {}", name.unwrap_or("the server"))
    /// }));
    /// let server = http::Server::new(http::service(app), "[::]:443").tls(&certificates);
    /// # let mut group = neap::Group::new();
    /// # group.add("https", server.into_service());
    /// # std::io::Result::Ok(())
    /// ```
    pub fn tls(mut self, tls: impl Into<TlsConfig>) -> Self {
        self.tls = Some(tls.into().alpn(["http/1.1", "http/1.0"]));
        self.binding.hang_up();
        self
    }
}

impl RequestContext {
    /// Returns what the connection has agreed on in its TLS handshake; `None` if there is no TLS.
    ///
    /// Behind a proxy that ends TLS it is `None`, though the client's side has TLS.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.arrival.tls.get()
    }
}

impl ServerContext {
    /// Makes what makes the TLS sessions, if there are to be some.
    ///
    /// # Errors
    ///
    /// Those of [`TlsAcceptor::new`].
    pub(super) fn with_tls(mut self, tls: Option<TlsConfig>) -> io::Result<ServerContext> {
        self.tls = tls.as_ref().map(TlsAcceptor::new).transpose()?;
        Ok(self)
    }
}
