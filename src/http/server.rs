//! The server: binds, accepts, and drains.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_io::Timer;
use futures_lite::future;

use super::App;
use super::census::{Census, Report};
use super::clock::after;
use super::connection::{Connection, HandlerPanicked, run};
use super::options::Options;
use super::phase::Lifecycle;
use super::shared::{OnDrained, Shared};
use crate::Scope;
use crate::net::accept_loop::accept_until;
use crate::net::address::Address;
use crate::net::binding::Binding;
use crate::net::connections::{Connections, Counted};
use crate::net::endpoint::Endpoint;
use crate::net::stream::Stream;

/// Serves `app` at `address`, with every option at its default: a service for a group.
///
/// See [`Server`] for the options.
///
/// # Errors
///
/// The service fails if the address cannot be bound, which the error names, or if a listener breaks
/// for good.
///
/// # Examples
///
/// ```
/// use neap::{Group, http};
///
/// # futures_lite::future::block_on(async {
/// let mut app = tide::new();
/// app.at("/hello").get(|_| async { Ok("Hello World!") });
///
/// let mut group = Group::new();
/// group.add("http", http::serve(app, "127.0.0.1:0"));
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

/// The future of a running server: what a group waits for.
pub type Serving<'a> = Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>;

/// An app, where it listens, and its [options](#options).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use neap::{Group, http};
///
/// # futures_lite::future::block_on(async {
/// let server = http::Server::new(tide::new(), "127.0.0.1:0")
///     .lame_duck(Duration::from_secs(5))
///     .max_body(1024 * 1024)
///     .bind()?;
/// println!("listening on {}", server.local_addrs()[0]);
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
    binding: Binding,
    pub(super) options: Options,
    on_drained: Option<OnDrained>,
}

impl<A> Server<A> {
    /// Makes a server of `app` at `address`, with every option at its default.
    ///
    /// # Examples
    ///
    /// ```
    /// let server = neap::http::Server::new(tide::new(), ["127.0.0.1:0", "[::1]:0"]);
    /// # drop(server);
    /// ```
    pub fn new(app: A, address: impl Into<Address>) -> Self {
        Self {
            app,
            binding: Binding::new(address),
            options: Options::default(),
            on_drained: None,
        }
    }

    /// Has the drain's report given to `hook`, when the last connection is gone.
    ///
    /// It is called on the thread that drops that connection, and should be brief.
    ///
    /// # Examples
    ///
    /// ```
    /// let server = neap::http::Server::new(tide::new(), "127.0.0.1:0")
    ///     .on_drained(|report| println!("{report}"));
    /// # drop(server);
    /// ```
    pub fn on_drained(mut self, hook: impl FnOnce(Report) + Send + 'static) -> Self {
        self.on_drained = Some(Box::new(hook));
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
    /// let server = neap::http::Server::new(tide::new(), "127.0.0.1:0").bind()?;
    /// assert_ne!(server.local_addrs()[0].tcp().unwrap().port(), 0);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn bind(mut self) -> io::Result<Self> {
        self.binding = self.binding.bind(self.options.backlog)?;
        Ok(self)
    }

    /// Where connections arrive, once the server is [bound](Server::bind); empty before.
    ///
    /// # Examples
    ///
    /// ```
    /// let server = neap::http::Server::new(tide::new(), "127.0.0.1:0");
    /// assert!(server.local_addrs().is_empty());
    /// ```
    #[must_use]
    pub fn local_addrs(&self) -> &[Endpoint] {
        self.binding.local_addrs()
    }
}

impl<A: App> Server<A> {
    /// Makes a service of it, for [`Group::add`](crate::Group::add).
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{Group, http};
    ///
    /// let server = http::Server::new(tide::new(), "127.0.0.1:0").max_connections(1000);
    /// let mut group = Group::new();
    /// group.add("http", server.into_service());
    /// ```
    pub fn into_service<'a>(self) -> impl FnOnce(Scope<'a>) -> Serving<'a> + Send + 'a
    where
        A: 'a,
    {
        |scope| Box::pin(self.run(scope))
    }

    /// Serves until the stop, and drains.
    async fn run<'a>(self, scope: Scope<'a>) -> io::Result<()>
    where
        A: 'a,
    {
        let count = Connections::new(self.options.max_connections)?;
        let mut listeners = self.binding.listen(self.options.backlog, scope.name())?;
        let (lame_duck, shared_listener) = (self.options.lame_duck, self.options.listener_shared);
        let app = Arc::new(self.app);
        let shared = Arc::new(Shared {
            name: scope.name().to_owned(),
            options: self.options,
            lifecycle: Arc::new(Lifecycle::new(scope.token())),
            census: Census::default(),
            on_drained: Mutex::new(self.on_drained),
        });
        let connect = |stream: Stream, counted: Counted| {
            let connection = Connection::new(shared.clone(), stream, counted);
            scope.spawn(cancellable(connection, app.clone()));
        };

        let cause = accept_until(&mut listeners, &count, scope.stopped(), connect).await?;
        if lame_duck > Duration::ZERO {
            shared.lifecycle.lame_duck();
            log::info!(
                "`{}` goes on for {lame_duck:?} before it drains",
                scope.name()
            );
            accept_until(&mut listeners, &count, Timer::after(lame_duck), connect).await?;
        }
        let deadline = shared.drain_deadline(scope.deadline());
        shared.census.drain();
        shared.lifecycle.drain(cause, deadline);
        if shared_listener {
            drop(listeners);
        } else {
            listeners.close(|stream| connect(stream, count.enter()));
        }
        shared.wait(&count, deadline).await
    }
}

/// A connection that ends, by being dropped, when its server cancels.
async fn cancellable<A: App>(
    connection: Box<Connection>,
    app: Arc<A>,
) -> Result<(), HandlerPanicked> {
    let cancelled = connection.shared.lifecycle.cancelling();
    let cancelled = async move {
        cancelled.stopped().await;
        Ok(())
    };
    future::or(cancelled, run(connection, app)).await
}

impl Shared {
    /// When this server will cancel of its own, or be cancelled: the earlier of both.
    fn drain_deadline(&self, scope: Option<Instant>) -> Option<Instant> {
        let own = self
            .options
            .drain_timeout
            .map(|timeout| after(Instant::now(), timeout));
        own.into_iter().chain(scope).min()
    }

    /// Waits for the last connection, and cancels at the deadline.
    ///
    /// # Errors
    ///
    /// Connections had to be cut.
    async fn wait(&self, count: &Connections, deadline: Option<Instant>) -> io::Result<()> {
        let empty = async {
            count.empty().await;
            true
        };
        let late = async {
            self.tick(count, deadline).await;
            false
        };
        if future::or(empty, late).await {
            return Ok(());
        }
        let left = self.census.tally();
        self.lifecycle.cancel();
        let patience = async {
            Timer::after(self.options.cancel_timeout).await;
        };
        future::or(count.empty(), patience).await;
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("connections cut at the end of the drain: {left}"),
        ))
    }

    /// Says once a second what the drain waits for, until the deadline.
    async fn tick(&self, count: &Connections, deadline: Option<Instant>) {
        const SECOND: Duration = Duration::from_secs(1);
        loop {
            let next = Instant::now() + SECOND;
            Timer::at(deadline.map_or(next, |deadline| next.min(deadline))).await;
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return;
            }
            let (count, tally) = (count.count(), self.census.tally());
            log::info!("`{}` waits for {count} connections: {tally}", self.name);
        }
    }
}

impl<A> fmt::Debug for Server<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.binding)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
