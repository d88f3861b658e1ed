//! A server: its app, its address and its settings.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future;

use super::app::App;
use super::context::{Observers, ServerContext};
use super::serving;
use super::settings::Settings;
use super::unserved::Unserved;
use crate::group::scope::Scope;
use crate::net::address::Address;
use crate::net::endpoint::Endpoint;
#[cfg(feature = "tls")]
use crate::net::tls::TlsConfig;

/// Serves `app` at `address`, with all settings at their defaults: a service for a group.
///
/// See [`Server`] for the settings.
///
/// # Errors
///
/// The service fails if the address cannot be bound, which the error names, or if a listener breaks
/// for good.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use neap::{Group, http};
///
/// # futures_lite::future::block_on(async {
/// let app = Router::new().route("/hello", get(async || "Hello World!"));
///
/// let mut group = Group::new();
/// group.add("http", http::serve(http::service(app), "127.0.0.1:0"));
/// # group.handle().stop();
/// group.run().await?;
/// # Ok::<_, neap::Error>(())
/// # }).unwrap();
/// ```
pub fn serve<'a, A: App + 'a>(
    app: A,
    address: impl Into<Address>,
) -> impl FnOnce(Scope<'a>) -> Serving<'a> + Send + 'a {
    Server::new(app, address).into_service()
}

/// The future of a running server, which a group waits for.
pub type Serving<'a> = Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>;

/// An app, the address where it is served, and [settings](#settings).
///
/// # Examples
///
/// Behind a load balancer that pools its connections and takes five seconds to notice a stop:
///
/// ```
/// use std::time::Duration;
/// use neap::{Group, http};
///
/// # futures_lite::future::block_on(async {
/// let app = http::service(axum::Router::new());
/// let server = http::Server::new(app, ["127.0.0.1:0", "127.0.0.1:0"])
///     .lame_duck(Duration::from_secs(5))
///     .idle_grace(Duration::from_secs(5))
///     .max_body(1024 * 1024)
///     .max_connections(10_000)
///     .on_drained(|report| println!("{report}"))
///     .bind()?;
/// assert_eq!(server.local_addrs().len(), 2);
/// assert_ne!(server.local_addrs()[0].tcp().unwrap().port(), 0);
///
/// let mut group = Group::new().drain_timeout(Duration::from_secs(20));
/// group.add("http", server.into_service());
/// # group.handle().stop();
/// group.run().await?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[must_use = "a server does nothing until it is added to a group"]
pub struct Server<A> {
    app: A,
    pub(super) binding: Unserved,
    pub(super) settings: Settings,
    pub(super) observers: Observers,
    /// How the server speaks TLS; `None` if it does not.
    #[cfg(feature = "tls")]
    pub(super) tls: Option<TlsConfig>,
}

impl<A> Server<A> {
    /// Makes a server of `app` at `address`, with all settings at their defaults.
    ///
    /// Nothing is bound yet, and no error can occur.
    pub fn new(app: A, address: impl Into<Address>) -> Self {
        Self {
            app,
            binding: Unserved::new(address),
            settings: Settings::default(),
            observers: Observers::default(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Returns how long a connection may be idle in a drain, at the least.
    pub(crate) fn shortest_grace(&self) -> Duration {
        let Settings {
            idle_grace,
            new_conn_grace,
            ..
        } = self.settings;
        idle_grace.min(new_conn_grace)
    }

    /// Puts another app in the place of this one.
    pub(crate) fn map_app<B>(self, change: impl FnOnce(A) -> B) -> Server<B> {
        Server {
            app: change(self.app),
            binding: self.binding,
            settings: self.settings,
            observers: self.observers,
            #[cfg(feature = "tls")]
            tls: self.tls,
        }
    }

    /// Binds the address now instead of at the start of the service.
    ///
    /// After it, [`local_addrs`](Server::local_addrs) is known, with the port that the system has
    /// chosen for port 0. Clients can connect, and wait in the kernel's queue. If the server never runs, as
    /// a stop comes before its start, each request in that queue is answered with `503 Service Unavailable`.
    ///
    /// # Errors
    ///
    /// The address cannot be bound, which the message names, or a limit is zero, such as
    /// [`max_connections`](Server::max_connections).
    pub fn bind(mut self) -> io::Result<Self> {
        self.settings.check()?;
        self.binding = self.binding.bind(self.settings.backlog)?;
        Ok(self)
    }

    /// Returns the addresses the server is bound to, in the order they were given; none before
    /// [`bind`](Server::bind).
    #[must_use]
    pub fn local_addrs(&self) -> &[Endpoint] {
        self.binding.local_addrs()
    }
}

/// # Settings
///
/// The limits and timeouts of a server. The defaults suit a server behind a load balancer that knows
/// of it. `Duration::MAX` is no timeout.
impl<A> Server<A> {
    /// Sets how long the server goes on accepting and serving everything after it was told to stop,
    /// with `Connection: close` in each response and a readiness of 503. **0 s** by default.
    ///
    /// For load balancers that need a while to notice. It counts towards the drain timeout of the
    /// service: one that takes all of it leaves no time to drain, which a record of the log tells when the
    /// server starts (`drain too short`).
    pub fn lame_duck(mut self, time: Duration) -> Self {
        self.settings.lame_duck = time;
        self
    }

    /// Sets how long the server itself drains, from the end of the lame-duck time on, before it
    /// cancels the connections that are left.
    ///
    /// By default the server has no timeout of its own. The deadline of the group
    /// (10 s, [`Group::drain_timeout`](crate::Group::drain_timeout)) holds in any case.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.settings.drain_timeout = Some(timeout);
        self
    }

    /// Sets how long the server waits for its connections to end after it has cancelled them.
    /// **500 ms** by default.
    pub fn cancel_timeout(mut self, timeout: Duration) -> Self {
        self.settings.cancel_timeout = timeout;
        self
    }

    /// Sets how long the server goes on accepting, when draining, while handshakes are in flight that
    /// have begun before. **1.5 s** by default; no time at all if none is in flight. Longer if the queue
    /// of connections was full, up to the deadline. On Linux only, see [`Listeners::close`](crate::net::Listeners::close).
    pub fn handshake_grace(mut self, grace: Duration) -> Self {
        self.settings.handshake_grace = grace;
        self
    }

    /// Sets how long a kept-alive connection may still wait for a next request when draining,
    /// counted from the end of its last response. **1 s** by default.
    ///
    /// A connection that was idle for longer than that closes at once. Behind a load balancer that
    /// pools its connections, up to 5 s is right.
    pub fn idle_grace(mut self, grace: Duration) -> Self {
        self.settings.idle_grace = grace;
        self
    }

    /// Sets how long a connection that has sent no byte may still wait for its first request when
    /// draining, counted from its accept. **1 s** by default.
    ///
    /// On a link that loses segments a first request may come a second or more after the accept
    /// (RFC 6298, 2.1): with 3 s fewer are lost.
    pub fn new_conn_grace(mut self, grace: Duration) -> Self {
        self.settings.new_conn_grace = grace;
        self
    }

    /// Sets how long a request's head may still take when draining, counted from the begin of the
    /// drain; 408 after that. **5 s** by default.
    pub fn drain_head_timeout(mut self, timeout: Duration) -> Self {
        self.settings.drain_head_timeout = timeout;
        self
    }

    /// Sets how long a request's head may take, counted from its first byte; 408 after that.
    /// **30 s** by default.
    pub fn head_timeout(mut self, timeout: Duration) -> Self {
        self.settings.head_timeout = timeout;
        self
    }

    /// Sets how long a request's body may go without a byte while it is read; 408 after that.
    /// **30 s** by default.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.settings.body_timeout = timeout;
        self
    }

    /// Sets how long a connection may be idle, before its first request and between two; it is closed
    /// after that. **75 s** by default.
    pub fn keep_alive_timeout(mut self, timeout: Duration) -> Self {
        self.settings.keep_alive_timeout = timeout;
        self
    }

    /// Sets how long a response may wait for the peer to take a byte; the connection is closed after
    /// that. **30 s** by default.
    pub fn write_timeout(mut self, timeout: Duration) -> Self {
        self.settings.write_timeout = timeout;
        self
    }

    /// Sets the longest head of a request, in bytes; 431 beyond it. **16 KiB** by default.
    ///
    /// A head with more than 100 fields is answered with 431 in any case.
    pub fn max_head(mut self, bytes: usize) -> Self {
        self.settings.max_head = bytes;
        self
    }

    /// Sets the longest body of a request, in bytes; 413 beyond it. **No limit** by default.
    pub fn max_body(mut self, bytes: u64) -> Self {
        self.settings.max_body = bytes;
        self
    }

    /// Sets the most connections there may be at once; others wait in the kernel's queue.
    /// **No limit** by default.
    ///
    /// When the server drains, that queue is emptied: those beyond the limit wait for their turn here, each
    /// with a descriptor and a kilobyte, until the deadline.
    ///
    /// With a limit of zero nothing could be served: [`bind`](Server::bind) and the service return
    /// an error before anything is bound.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.settings.max_connections = connections;
        self
    }

    /// Sets whether a client may close its side of the connection behind its request and still wait for
    /// the answer. **False** by default.
    ///
    /// The end of what a client sends mostly means that it has gone, and its handler is dropped then, as
    /// it is after a reset. That is looked for while the handler, or the body of its response, waits for
    /// something: an answer that is there when the handler is first polled is sent in any case. If this
    /// is true, the handler is kept, and what becomes of such a client is seen only when bytes are sent
    /// to it. Clients that close their side and do wait are rare: `printf .. | nc` is one.
    ///
    /// A leaver is noticed whichever task reads the request's body, or has ceased to. Only one that has sent
    /// 16 KiB more than was read of its body, or behind it, is not seen to leave until more is read: the end
    /// of what it sends is behind those bytes.
    pub fn half_close(mut self, allowed: bool) -> Self {
        self.settings.half_close = allowed;
        self
    }

    /// Sets how long the server still reads from a connection it has closed, while the peer sends
    /// nothing; 2 s at most in all. **500 ms** by default.
    ///
    /// Without this time, a client that is still sending gets a reset, and loses the end of the
    /// response (RFC 9112, 9.6). So one that has not taken all of its response yet is waited for longer:
    /// until it has taken nothing for 2 s, and for the [`write_timeout`](Server::write_timeout) in all. On
    /// Linux only, where the system tells what is left of it.
    pub fn linger(mut self, time: Duration) -> Self {
        self.settings.linger = time;
        self
    }

    /// Sets whether other processes accept from the same listener; the connections in its queue are
    /// then left to them at a stop. If not set, that is **not so**, but a socket that was not bound here
    /// may be held by others, such as a service manager: it goes on accepting after the stop.
    ///
    /// One that systemd has [passed](Address#sockets-that-systemd-has-bound) **is** shared unless this is set.
    ///
    /// Set it to false for a `TcpListener` or `UnixListener` that this process alone has: then new
    /// connections are refused from the begin of the drain. [`Listeners::close`](crate::net::Listeners::close)
    /// says what a close does in each case.
    pub fn listener_shared(mut self, shared: bool) -> Self {
        self.settings.listener_shared = shared.into();
        self.binding.set_sharing(shared.into());
        self
    }

    /// Sets whether the drain waits for connections that were upgraded, to WebSocket for example.
    /// **True** by default.
    ///
    /// If it is false, they go on as long as the drain lasts for other reasons, and are then shut down both
    /// ways, also those that a handler still holds. The [`Report`](super::Report) does not count them as cut.
    pub fn wait_upgraded(mut self, wait: bool) -> Self {
        self.settings.wait_upgraded = wait;
        self
    }

    /// Sets how many connections the kernel may queue for each listener bound here. **1024** by
    /// default; the system may have a lower limit (`net.core.somaxconn` on Linux).
    pub fn backlog(mut self, connections: u32) -> Self {
        self.settings.backlog = connections;
        self
    }

    /// Sets whether the panic of a handler is a failure of the service, which stops the group.
    /// **False** by default. The client gets a 500 and a close in either case.
    pub fn panics_fail(mut self, fail: bool) -> Self {
        self.settings.panics_fail = fail;
        self
    }
}

impl<A: App> Server<A> {
    /// Makes a service of the server, for [`Group::add`](crate::Group::add).
    ///
    /// If its future is dropped before its drain, by a [restart](crate::restart()) for one, or a listener breaks,
    /// the connections that it has accepted drain: beside those of the next run, and until the service itself is
    /// cancelled.
    ///
    /// # Errors
    ///
    /// The service fails if the address cannot be bound, if a listener breaks for good, or if
    /// connections had to be cut because the drain took longer than
    /// [`drain_timeout`](Server::drain_timeout).
    pub fn into_service<'a>(self) -> impl FnOnce(Scope<'a>) -> Serving<'a> + Send + 'a
    where
        A: 'a,
    {
        |scope| Box::pin(self.run(scope))
    }

    async fn run<'a>(self, scope: Scope<'a>) -> io::Result<()>
    where
        A: 'a,
    {
        self.settings.check()?;
        let listeners = self.binding.listen(self.settings.backlog, &scope)?;
        let context = ServerContext::new(&scope, self.settings, self.observers)?;
        #[cfg(feature = "tls")]
        let context = context.with_tls(self.tls)?;
        let yields = Arc::clone(&context.yields);
        let context = Arc::new(context);
        let starting = Arc::clone(&context.lifecycle).start(scope.clone().others_started());
        let serving = serving::run(self.app, listeners, Arc::clone(&context), scope);
        let serving = future::or(starting, serving);
        let served = yields.call_beside(serving).await;
        context.write_access_log().await;
        served
    }
}

impl<A> fmt::Debug for Server<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.binding)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
