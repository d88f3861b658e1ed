//! Any protocol as a service.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;

use futures_lite::FutureExt;
use futures_lite::future::{or, yield_now};

use super::{Addr, Address, BACKLOG, Binding, Connections, Counted, Listeners, Stream};
use crate::{Scope, StopToken};

/// Serves each connection that arrives at `address` by `handler`.
///
/// The handler is given the connection and a token that is stopped when the service is. A
/// connection whose handler fails or panics is closed, with a log line; the others go on.
///
/// # Examples
///
/// A service that tells everyone the same, and ends at once when told to stop:
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
    F: Future<Output = io::Result<()>> + Send + 'a,
{
    Server::new(address, handler).into_service()
}

/// The future of a running server: what a group waits for.
pub type Serving<'a> = Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>;

/// A server of any protocol: a handler, where it listens, and options.
///
/// # Examples
///
/// ```
/// use neap::{Group, net};
///
/// let server = net::Server::new("127.0.0.1:0", |_, _| async { Ok(()) }).max_connections(100);
/// let mut group = Group::new();
/// group.add("nothing", server.into_service());
/// ```
#[must_use = "a server does nothing until it is added to a group"]
pub struct Server<H> {
    binding: Binding,
    handler: H,
    max_connections: usize,
    listener_shared: bool,
    backlog: u32,
}

impl<H> Server<H> {
    /// Makes a server, with every option at its default. See [`serve`] for the handler.
    ///
    /// # Examples
    ///
    /// ```
    /// let server = neap::net::Server::new("127.0.0.1:0", |_, _| async { Ok(()) });
    /// # drop(server);
    /// ```
    pub fn new<F>(address: impl Into<Address>, handler: H) -> Self
    where
        H: Fn(Stream, StopToken) -> F,
        F: Future<Output = io::Result<()>>,
    {
        Self {
            binding: Binding::new(address),
            handler,
            max_connections: usize::MAX,
            listener_shared: false,
            backlog: BACKLOG,
        }
    }

    /// Sets how many connections there may be at once; more wait in the kernel's queue.
    ///
    /// No limit by default.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::net;
    ///
    /// let server = net::Server::new("127.0.0.1:0", |_, _| async { Ok(()) }).max_connections(1000);
    /// # drop(server);
    /// ```
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections.max(1);
        self
    }

    /// Tells that other processes accept from the same listener: what is in its queue at a stop
    /// is then left to them. False by default.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::net;
    ///
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let server = net::Server::new(listener, |_, _| async { Ok(()) }).listener_shared(true);
    /// # drop(server);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn listener_shared(mut self, shared: bool) -> Self {
        self.listener_shared = shared;
        self
    }

    /// Sets how many connections the kernel may queue for each listener that is bound here.
    ///
    /// 1024 by default; the system may have a lower limit (`net.core.somaxconn`).
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::net;
    ///
    /// let server = net::Server::new("127.0.0.1:0", |_, _| async { Ok(()) }).backlog(128);
    /// # drop(server);
    /// ```
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = connections;
        self
    }

    /// Binds now instead of at the start, so that [`local_addrs`](Server::local_addrs) is known.
    ///
    /// # Errors
    ///
    /// An address that cannot be bound, named in the message.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::net;
    ///
    /// let server = net::Server::new("127.0.0.1:0", |_, _| async { Ok(()) }).bind()?;
    /// assert_ne!(server.local_addrs()[0].tcp().unwrap().port(), 0);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn bind(mut self) -> io::Result<Self> {
        self.binding = self.binding.bind(self.backlog)?;
        Ok(self)
    }

    /// Where connections arrive, once the server is [bound](Server::bind); empty before.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::net;
    ///
    /// let server = net::Server::new("127.0.0.1:0", |_, _| async { Ok(()) });
    /// assert!(server.local_addrs().is_empty());
    /// ```
    #[must_use]
    pub fn local_addrs(&self) -> &[Addr] {
        self.binding.local_addrs()
    }
}

impl<H> fmt::Debug for Server<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.binding)
            .field("max_connections", &self.max_connections)
            .field("listener_shared", &self.listener_shared)
            .field("backlog", &self.backlog)
            .finish_non_exhaustive()
    }
}

impl<H> Server<H> {
    /// Makes a service of it, for [`Group::add`](crate::Group::add).
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{Group, net};
    ///
    /// let server = net::Server::new("127.0.0.1:0", |_, _| async { Ok(()) }).bind()?;
    /// let mut group = Group::new();
    /// group.add("nothing", server.into_service());
    /// # std::io::Result::Ok(())
    /// ```
    pub fn into_service<'a, F>(self) -> impl FnOnce(Scope<'a>) -> Serving<'a> + Send + 'a
    where
        H: Fn(Stream, StopToken) -> F + Send + Sync + 'a,
        F: Future<Output = io::Result<()>> + Send + 'a,
    {
        |scope| Box::pin(self.run(scope))
    }

    async fn run<'a, F>(self, scope: Scope<'a>) -> io::Result<()>
    where
        H: Fn(Stream, StopToken) -> F + Send + Sync + 'a,
        F: Future<Output = io::Result<()>> + Send + 'a,
    {
        let mut listeners = self.binding.listen(self.backlog, scope.name())?;
        let connections = Connections::new(self.max_connections);
        let handler = Arc::new(self.handler);
        let spawn = |stream, counted| {
            scope.spawn(connection(handler.clone(), stream, scope.token(), counted));
        };
        accept_until(&mut listeners, &connections, scope.stopped(), spawn).await?;
        if self.listener_shared {
            drop(listeners);
        } else {
            listeners.close(|stream| spawn(stream, connections.enter()));
        }
        log::debug!(
            "`{}` waits for {} connections",
            scope.name(),
            connections.count()
        );
        connections.empty().await;
        Ok(())
    }
}

/// Gives each connection to `each` until `stop` is ready.
///
/// A connection that has been accepted is given away before the stop is looked at again.
///
/// # Errors
///
/// A listener that is broken for good.
pub(crate) async fn accept_until<S: Future>(
    listeners: &mut Listeners,
    connections: &Connections,
    stop: S,
    mut each: impl FnMut(Stream, Counted),
) -> io::Result<S::Output> {
    /// After so many connections in a row, the others on this thread get their turn.
    const BATCH: usize = 32;
    let mut stop = pin!(stop);
    let mut turn = 0_usize;
    loop {
        turn += 1;
        let stopped = async { Ok(Err((&mut stop).await)) };
        let accepted = async {
            connections.room().await;
            listeners.accept().await.map(Ok)
        };
        match or(stopped, accepted).await? {
            Ok(stream) => each(stream, connections.enter()),
            Err(cause) => return Ok(cause),
        }
        if turn % BATCH == 0 {
            yield_now().await;
        }
    }
}

/// One connection's child: counted from before it was spawned until its handler has returned.
async fn connection<H, F>(handler: Arc<H>, stream: Stream, token: StopToken, counted: Counted)
where
    H: Fn(Stream, StopToken) -> F,
    F: Future<Output = io::Result<()>>,
{
    let peer = stream.peer_addr().clone();
    // The handler's own call may panic as well as its future.
    let handled = async { handler(stream, token).await };
    match AssertUnwindSafe(handled).catch_unwind().await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => log::debug!("connection from {peer}: {error}"),
        Err(panic) => log::error!("connection from {peer}: {}", panic_message(&*panic)),
    }
    drop(counted);
}

/// What a panic said, if it said it in words.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic")
}
