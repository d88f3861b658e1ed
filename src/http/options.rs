//! What can be set on a server.

use std::time::Duration;

use super::Server;

/// Every limit and timeout of a server, with its defaults.
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) lame_duck: Duration,
    pub(super) drain_timeout: Option<Duration>,
    pub(super) cancel_timeout: Duration,
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
    pub(super) linger: Duration,
    pub(super) listener_shared: bool,
    pub(super) wait_upgraded: bool,
    pub(super) backlog: u32,
    pub(super) panics_fail: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lame_duck: Duration::ZERO,
            drain_timeout: None,
            cancel_timeout: Duration::from_millis(500),
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
            linger: Duration::from_millis(500),
            listener_shared: false,
            wait_upgraded: true,
            backlog: crate::net::address::BACKLOG,
            panics_fail: false,
        }
    }
}

/// One builder method for each option, with what the options have in common.
macro_rules! options {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $example:literal;)+) => {
        /// # Options
        ///
        /// What the drain, the peers and the limits may take. The defaults are those of a server
        /// behind a load balancer that knows it is there.
        impl<A> Server<A> {
            $(
                $(#[doc = $doc])+
                ///
                /// # Examples
                ///
                /// ```
                /// use std::time::Duration;
                /// use neap::http;
                ///
                #[doc = concat!("let server = http::Server::new(tide::new(), \"127.0.0.1:0\").", stringify!($name), "(", $example, ");")]
                /// # drop(server);
                /// ```
                pub fn $name(mut self, $name: $type) -> Self {
                    self.options.$name = $name;
                    self
                }
            )+
        }
    };
}

options! {
    /// Sets how long the server goes on accepting and serving everything after it was told to
    /// stop, with `Connection: close` in each response and a readiness of 503. **0 s** by default.
    ///
    /// For load balancers that take a while to notice. It counts towards the service's drain timeout.
    lame_duck: Duration = "Duration::from_secs(5)";

    /// Sets how long the server waits at a cancel of its own for connections to end.
    /// **500 ms** by default.
    cancel_timeout: Duration = "Duration::from_millis(200)";

    /// Sets how long a kept-alive connection is still given for a next request when draining,
    /// counted from the end of its last response. **1 s** by default.
    ///
    /// One that was idle for longer than that closes at once. Up to 5 s is right behind a load
    /// balancer that pools its connections.
    idle_grace: Duration = "Duration::from_secs(5)";

    /// Sets how long a connection without a byte is still given for its first request when
    /// draining, counted from its accept. **1 s** by default.
    new_conn_grace: Duration = "Duration::from_secs(2)";

    /// Sets by when a request's head has to be whole when draining, counted from the drain's
    /// begin; 408 after it. **5 s** by default.
    drain_head_timeout: Duration = "Duration::from_secs(2)";

    /// Sets how long a request's head may take from its first byte; 408 after it.
    /// **30 s** by default.
    head_timeout: Duration = "Duration::from_secs(10)";

    /// Sets how long a request's body may go without a byte while it is read; 408 after it.
    /// **30 s** by default.
    body_timeout: Duration = "Duration::from_secs(10)";

    /// Sets how long a connection may stay idle, before its first request and between two.
    /// **75 s** by default.
    keep_alive_timeout: Duration = "Duration::from_secs(30)";

    /// Sets how long a response may go without the peer taking a byte; the connection is closed
    /// after it. **30 s** by default.
    write_timeout: Duration = "Duration::from_secs(10)";

    /// Sets how long a head may be, in bytes; 431 past it. **16 KiB** by default, and always at
    /// most 100 fields.
    max_head: usize = "64 * 1024";

    /// Sets how long a request's body may be, in bytes; 413 past it. **No limit** by default.
    max_body: u64 = "1024 * 1024";

    /// Sets how many connections there may be at once; more wait in the kernel's queue.
    /// **No limit** by default.
    ///
    /// With a limit of zero no connection could ever be served: the service fails before it binds
    /// anything.
    max_connections: usize = "10_000";

    /// Sets how long a connection that the server has closed may be quiet before it is forgotten;
    /// 2 s in all. **500 ms** by default.
    ///
    /// Without it, a client that is still sending gets a reset, and loses the response's end
    /// (RFC 9112, 9.6).
    linger: Duration = "Duration::from_millis(100)";

    /// Tells that other processes accept from the same listener: what is in its queue at a stop
    /// is then left to them. **False** by default.
    listener_shared: bool = "true";

    /// Sets whether the drain waits for connections that were upgraded, to WebSocket for example.
    /// **True** by default.
    wait_upgraded: bool = "false";

    /// Sets how many connections the kernel may queue for each listener bound here. **1024** by
    /// default; the system may have a lower limit (`net.core.somaxconn`).
    backlog: u32 = "128";

    /// Sets whether a handler's panic is the service's failure, which stops the group.
    /// **False** by default. The client gets a 500 and a close in either case.
    panics_fail: bool = "true";
}

impl<A> Server<A> {
    /// Sets how long the server itself drains before it cancels what is left.
    ///
    /// By default it leaves that to the group, whose deadline holds in any case
    /// (10 s, [`Group::drain_timeout`](crate::Group::drain_timeout)). The drain begins when the
    /// lame-duck time is over.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use neap::http;
    ///
    /// let server = http::Server::new(tide::new(), "127.0.0.1:0").drain_timeout(Duration::from_secs(3));
    /// # drop(server);
    /// ```
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.options.drain_timeout = Some(timeout);
        self
    }
}
