//! A service that serves connections of any protocol.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::accept_loop::accept_until;
use super::accept_rest::accept_rest;
use super::address::{Address, BACKLOG};
use super::binding::Binding;
use super::closing::HANDSHAKE_GRACE;
use super::connections::{Connections, Counted, waited_for};
use super::endpoint::Endpoint;
use super::listeners::Sharing;
#[cfg(feature = "proxy-protocol")]
use super::proxy::{Introducer, ProxyProtocol};
use super::stream::Stream;
#[cfg(feature = "tls")]
use super::tls::{TlsAcceptor, TlsConfig, farewell, handshake};
use crate::executor::panic::{Panicked, catch_future};
use crate::group::scope::Scope;
use crate::service::exit::{End, Failure};
use crate::service::result::ServiceResult;
use crate::service::result::sealed::IntoEnd;
use crate::stop::token::StopToken;
#[cfg(feature = "tls")]
use crate::time::time_source::TimeSource;

/// Calls `handler` with each connection that arrives at `address`, with every option at its default.
///
/// The handler is given the connection and a token that is stopped when the service is. It ends in what
/// a service may end in, see [`ServiceResult`]. If it fails or panics, its connection is closed and the log says so, at
/// the level DEBUG for a failure and ERROR for a panic; the other connections go on.
///
/// # Errors
///
/// The service fails if the address cannot be bound, which the error names, or if a listener breaks
/// for good.
///
/// # Examples
///
/// A service that sends the same line to each client and closes the connection:
///
/// ```
/// use futures_lite::AsyncWriteExt;
/// use neap::{Group, net};
///
/// # futures_lite::future::block_on(async {
/// let mut group = Group::new();
/// group.add("motd", net::serve("127.0.0.1:0", |mut stream: net::Stream, _| async move {
///     stream.write_all(b"be gentle\n").await
/// }));
/// # group.handle().stop();
/// group.run().await?;
/// # Ok::<_, neap::Error>(())
/// # }).unwrap();
/// ```
pub fn serve<'a, H, F>(
    address: impl Into<Address>,
    handler: H,
) -> impl FnOnce(Scope<'a>) -> Serving<'a> + Send + 'a
where
    H: Fn(Stream, StopToken) -> F + Send + Sync + 'a,
    F: Future<Output: ServiceResult> + Send + 'a,
{
    Server::new(address, handler).into_service()
}

/// The future of a running server, which the group polls.
pub type Serving<'a> = Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>;

/// A server of any protocol: an address, a handler and options.
///
/// # Examples
///
/// Each option is a method. Once bound, the server says where it listens:
///
/// ```
/// use neap::{Group, net};
///
/// let server = net::Server::new("127.0.0.1:0", async |_, _| {})
///     .max_connections(1000)
///     .backlog(128)
///     .listener_shared(false);
/// assert!(server.local_addrs().is_empty());
/// let server = server.bind()?;
/// assert_ne!(server.local_addrs()[0].tcp().unwrap().port(), 0);
///
/// let mut group = Group::new();
/// group.add("nothing", server.into_service());
/// # std::io::Result::Ok(())
/// ```
#[must_use = "a server does nothing until it is added to a group"]
pub struct Server<H> {
    binding: Binding,
    handler: H,
    /// The most connections at once; 0 is an error when the server runs.
    max_connections: usize,
    /// Whether other processes accept from the same listener.
    listener_shared: Sharing,
    /// The length of the kernel's queue of each listener.
    backlog: u32,
    /// How long the close waits for handshakes in flight.
    handshake_grace: Duration,
    /// How the server speaks TLS; `None` if it does not.
    #[cfg(feature = "tls")]
    tls: Option<TlsConfig>,
    /// From whom a PROXY header is required; `None` if from nobody.
    #[cfg(feature = "proxy-protocol")]
    pub(super) proxies: Option<ProxyProtocol>,
}

impl<H> Server<H> {
    /// Makes a server with every option at its default. [`serve`] describes the handler.
    pub fn new<F>(address: impl Into<Address>, handler: H) -> Self
    where
        H: Fn(Stream, StopToken) -> F,
        F: Future<Output: ServiceResult>,
    {
        Self {
            binding: Binding::new(address),
            handler,
            max_connections: usize::MAX,
            listener_shared: Sharing::IfAdopted,
            backlog: BACKLOG,
            handshake_grace: HANDSHAKE_GRACE,
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "proxy-protocol")]
            proxies: None,
        }
    }

    /// Sets how many connections there may be at once; more wait in the kernel's queue.
    /// **No limit** by default.
    ///
    /// A log record of level warn, with the event `connections full`, says so, at most once in 10 s.
    ///
    /// At a stop that queue is emptied: those beyond the limit wait for their turn here, each with a
    /// descriptor.
    ///
    /// With a limit of zero no connection could ever be served: the service fails before it binds
    /// anything.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Sets whether other processes accept from the same listener. The connections in its queue at
    /// a stop are then left to them. If not set, that is **not so**, but a socket that was not bound here may be held
    /// by others: it goes on accepting after the stop.
    ///
    /// A socket that systemd has passed ([`"systemd:http"`](Address#sockets-that-systemd-has-bound)) **is** shared unless
    /// this is set: systemd holds it for the next process. So a restart loses and refuses nothing. Where nobody
    /// holds it, as with systemd-socket-activate(1), set this to false.
    ///
    /// Set it to false for a `TcpListener` or `UnixListener` that this process alone has: then new
    /// connections are refused from the begin of the stop. [`Listeners::close`](super::Listeners::close)
    /// says what a close does in each case.
    pub fn listener_shared(mut self, shared: bool) -> Self {
        self.listener_shared = shared.into();
        self
    }

    /// Sets how many connections the kernel may queue for each listener that is bound here.
    /// **1024** by default; the system may have a lower limit (`net.core.somaxconn`).
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = connections;
        self
    }

    /// Sets how long the server goes on accepting at a stop while handshakes are in flight that have
    /// begun before it. **1.5 s** by default; no time at all if none is in flight. Longer if the queue of
    /// connections was full, up to the deadline. On Linux only, see [`Listeners::close`](super::Listeners::close).
    pub fn handshake_grace(mut self, grace: Duration) -> Self {
        self.handshake_grace = grace;
        self
    }

    /// Has the server speak TLS, and nothing else. **In the clear** by default.
    ///
    /// `tls` is a [`TlsConfig`], or [`Certificates`](super::Certificates) with all settings at their defaults. The handler is called
    /// once the handshake is over, and needs to know nothing of it: [`Stream`] says what is different, and
    /// [`Stream::tls`] what was agreed on.
    ///
    /// A handshake may take the [`handshake_timeout`](TlsConfig::handshake_timeout). A client that is in its
    /// handshake when the server is told to stop, or in the kernel's queue, goes on with it, and its handler is called. It has 5 s from the stop
    /// on for that, and one that has sent nothing 1 s from its accept on. A handshake that fails costs its
    /// connection, and is logged at the level DEBUG.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: impl Into<TlsConfig>) -> Self {
        self.tls = Some(tls.into());
        self
    }

    /// Binds now instead of at the start, so that [`local_addrs`](Server::local_addrs) is known.
    ///
    /// From now on clients can connect, and wait in the kernel's queue. If the server never runs, as a stop
    /// comes before its start, their connections are reset: only the handler knows what to say to them.
    ///
    /// # Errors
    ///
    /// Returns an error that names the address, if it cannot be bound.
    pub fn bind(mut self) -> io::Result<Self> {
        self.binding = self.binding.bind(self.backlog)?;
        Ok(self)
    }

    /// Returns where connections arrive; nothing before the server is [bound](Server::bind).
    #[must_use]
    pub fn local_addrs(&self) -> &[Endpoint] {
        self.binding.local_addrs()
    }
}

impl<H> Server<H> {
    /// Makes a service of it, for [`Group::add`](crate::Group::add).
    pub fn into_service<'a, F>(self) -> impl FnOnce(Scope<'a>) -> Serving<'a> + Send + 'a
    where
        H: Fn(Stream, StopToken) -> F + Send + Sync + 'a,
        F: Future<Output: ServiceResult> + Send + 'a,
    {
        |scope| Box::pin(self.run(scope))
    }

    /// Serves until the stop, and drains.
    async fn run<'a, F>(self, scope: Scope<'a>) -> io::Result<()>
    where
        H: Fn(Stream, StopToken) -> F + Send + Sync + 'a,
        F: Future<Output: ServiceResult> + Send + 'a,
    {
        let connections =
            Connections::new(self.max_connections, scope.name(), scope.time_source())?;
        let opening = Opening {
            #[cfg(feature = "tls")]
            tls: tls_of(self.tls, &scope)?,
            #[cfg(feature = "proxy-protocol")]
            introducer: Introducer::new(self.proxies, scope.name(), scope.time_source()),
        };
        let mut listeners = self.binding.listen(self.backlog, &scope)?;
        let count = connections.clone();
        scope.waits_for(move || waited_for(count.count()));
        let handler = Arc::new(self.handler);
        let spawn = |connection| opening.spawn(&scope, handler.clone(), connection);
        let accepted = |stream, counted| spawn((stream, counted));
        accept_until(&mut listeners, &connections, scope.stopped(), accepted).await?;
        let (sharing, grace) = (self.listener_shared, self.handshake_grace);
        let make = |stream, counted| (stream, counted);
        accept_rest(listeners, sharing, grace, &connections, make, spawn).await;
        let (name, count) = (scope.name(), connections.count());
        let words = waited_for(count);
        if count > 0 {
            log::debug!(target: "neap", event = "connections draining", service = name, connections = count; "`{name}` waits for {words}");
        }
        connections.empty().await;
        Ok(())
    }
}

/// What comes before a connection is given to the handler.
struct Opening {
    #[cfg(feature = "tls")]
    tls: Option<(TlsAcceptor, TimeSource)>,
    #[cfg(feature = "proxy-protocol")]
    introducer: Option<Arc<Introducer>>,
}

impl Opening {
    /// Serves a connection in a task of its own.
    fn spawn<'a, H, F>(
        &self,
        scope: &Scope<'a>,
        handler: Arc<H>,
        (stream, counted): (Stream, Counted),
    ) where
        H: Fn(Stream, StopToken) -> F + Send + Sync + 'a,
        F: Future<Output: ServiceResult> + Send + 'a,
    {
        let token = scope.token();
        #[cfg(feature = "tls")]
        let tls = self.tls.clone();
        #[cfg(feature = "proxy-protocol")]
        if let Some(introducer) = self.introducer.clone() {
            return drop(scope.spawn(async move {
                if introducer.introduce(&stream, &token).await {
                    #[cfg(feature = "tls")]
                    if let Some(tls) = tls {
                        return tls_connection(tls, handler, stream, token, counted).await;
                    }
                    connection(handler, stream, token, counted).await;
                }
            }));
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = tls {
            return drop(scope.spawn(tls_connection(tls, handler, stream, token, counted)));
        }
        scope.spawn(connection(handler, stream, token, counted));
    }
}

/// Serves one connection, which is counted from before this is spawned until the handler returns.
async fn connection<H, F>(handler: Arc<H>, stream: Stream, token: StopToken, counted: Counted)
where
    H: Fn(Stream, StopToken) -> F,
    F: Future<Output: ServiceResult>,
{
    handle(&*handler, stream, token).await;
    drop(counted);
}

/// Returns what makes the TLS sessions, if there are to be some, and the time that their handshakes go by.
///
/// # Errors
///
/// Those of [`TlsAcceptor::new`].
#[cfg(feature = "tls")]
fn tls_of(
    tls: Option<TlsConfig>,
    scope: &Scope<'_>,
) -> io::Result<Option<(TlsAcceptor, TimeSource)>> {
    let tls = tls.as_ref().map(TlsAcceptor::new).transpose()?;
    Ok(tls.map(|tls| (tls, scope.time_source())))
}

/// Serves one connection with TLS.
#[cfg(feature = "tls")]
async fn tls_connection<H, F>(
    (tls, time): (TlsAcceptor, TimeSource),
    handler: Arc<H>,
    stream: Stream,
    token: StopToken,
    counted: Counted,
) where
    H: Fn(Stream, StopToken) -> F,
    F: Future<Output: ServiceResult>,
{
    let stream = stream.with_tls(&tls);
    let limits = handshake::HandshakeLimits::new(tls.handshake_timeout);
    let shaken = Box::pin(handshake::shake_hands(
        &stream,
        limits,
        &time,
        token.clone(),
    ))
    .await;
    if let Err(error) = shaken {
        let peer = stream.peer_addr();
        log::debug!(target: "neap", event = "handshake failed", peer:%; "TLS handshake with {peer} failed: {error}");
        Box::pin(farewell::refuse(&stream, &time)).await;
        return;
    }
    let kept = stream.keep_socket();
    handle(&*handler, stream, token).await;
    if let Some(kept) = kept {
        farewell::send_rest(kept, &time).await;
    }
    drop(counted);
}

/// Calls the handler, and logs how it has failed.
async fn handle<H, F>(handler: &H, stream: Stream, token: StopToken)
where
    H: Fn(Stream, StopToken) -> F,
    F: Future<Output: ServiceResult>,
{
    let peer = stream.peer_addr().clone();
    // Inside the block, a panic of the call itself is caught too.
    let handled = catch_future(async { handler(stream, token).await.into_end() });
    match handled.await {
        Ok(End::Finished | End::Dropped) => {}
        Ok(End::Failed(Failure::Error(error))) => {
            log::debug!(target: "neap", event = "connection failed", peer:%; "connection from {peer}: {error}");
        }
        Err(Panicked(message)) | Ok(End::Failed(Failure::Panic(message))) => {
            log::error!(target: "neap", event = "connection panicked", peer:%; "connection from {peer}: {message}");
        }
    }
}

impl<H> fmt::Debug for Server<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.binding)
            .field("max_connections", &self.max_connections)
            .field("listener_shared", &self.listener_shared)
            .field("backlog", &self.backlog)
            .field("handshake_grace", &self.handshake_grace)
            .finish_non_exhaustive()
    }
}
