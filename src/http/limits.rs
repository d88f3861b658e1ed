//! The limits on what a connection, a handler, and all of them may take, and on a lame duck.

use std::time::Duration;

use super::server::Server;

/// # Limits
///
/// What keeps a server from being kept busy by few, or by more than it can do. None is set by default.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use neap::http::{self, Server};
///
/// let server = Server::new(http::service(axum::Router::new()), "127.0.0.1:0")
///     .max_connection_age(Duration::from_secs(300))
///     .max_in_flight(512)
///     .handler_timeout(Duration::from_secs(20))
///     .bind()?;
/// # Ok::<_, std::io::Error>(())
/// ```
impl<A> Server<A> {
    /// Sets how old a connection may become, counted from its accept: the first response that begins after
    /// that says close. **No limit** by default.
    ///
    /// Clients that keep their connections would stay with the servers that there were when they came: so a
    /// balancer below HTTP finds new ones, and a name that leads elsewhere is asked for again. The time of
    /// each connection is up to a tenth shorter or longer, so that those that came together do not leave
    /// together.
    ///
    /// No request is lost by it: a connection that is idle is left to its next request, or to the
    /// [`keep_alive_timeout`](Server::keep_alive_timeout). A response that has begun goes on, an endless one
    /// too, and so does a connection that is no longer HTTP.
    pub fn max_connection_age(mut self, age: Duration) -> Self {
        self.settings.max_connection_age = age;
        self
    }

    /// Sets how many requests a connection serves: the response to the last one says close. **No limit** by
    /// default.
    ///
    /// A request that was sent ahead, behind the last one, is not answered (RFC 9112, 9.6): its client repeats
    /// it on another connection.
    ///
    /// With a limit of zero, [`bind`](Server::bind) and the service return an error.
    pub fn max_requests(mut self, requests: u64) -> Self {
        self.settings.max_requests = requests;
        self
    }

    /// Sets how many requests may be in flight at once, on all connections: one beyond that is answered with
    /// `503 Service Unavailable` and `Retry-After: 1` (RFC 9110, 10.2.3 and 15.6.4), and does not reach the app.
    /// **No limit** by default.
    ///
    /// A request is in flight from the end of its head to the end of its response, so an endless response
    /// counts for as long as it lasts; a connection after an upgrade does not. The connection of a request
    /// that was turned away stays open: to be turned away costs the client no new handshake.
    ///
    /// Health checks of this server count too, and are turned away too: [`live`](super::live) had better be
    /// asked at a server of its own, in the same group, if an overload must not look like a death.
    ///
    /// With a limit of zero, [`bind`](Server::bind) and the service return an error.
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.settings.max_in_flight = requests;
        self
    }

    /// Sets how long a handler may take to answer, counted from the end of the request's head. After that its
    /// future is dropped, and the client gets `503 Service Unavailable`, as by Go's `http.TimeoutHandler`.
    /// **No limit** by default.
    ///
    /// A handler whose answer is there has no limit any more: neither the body of its response, nor a
    /// connection after an upgrade. One that reads the request's body has the limit of this time in all, and of
    /// [`body_timeout`](Server::body_timeout) between two parts. What a handler has spawned goes on. While a client
    /// does not take the answer before, which it has to first, its next handler has the
    /// [`write_timeout`](Server::write_timeout) of that answer instead.
    pub fn handler_timeout(mut self, timeout: Duration) -> Self {
        self.settings.handler_timeout = timeout;
        self
    }

    /// Has the lame-duck time end early, once a load balancer has noticed the stop: the endpoint
    /// [`ready`](super::ready) was asked and has answered 503, and no request has come for `quiet` since, health checks
    /// aside. **Not so** by default: a lame duck lasts for all of [`lame_duck`](Server::lame_duck), which stays the
    /// limit.
    ///
    /// A fixed time has to be that of the slowest balancer on its worst day, and each restart takes it. With
    /// this, a restart takes as long as the balancer does, and `quiet`. What has begun goes on in any case: the
    /// drain waits for it.
    ///
    /// `quiet` has to be longer than the pauses between requests, and, where there may be none for a while,
    /// than the balancer takes from the first failed check to its decision: the interval of its checks, times
    /// their number (`inter` and `fall` of HAProxy). A client that does not go by the checks keeps the server
    /// until the limit. Checks that a handler answers by
    /// [`is_ready`](super::RequestExt::is_ready), not the endpoint, count as requests.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use neap::http::{self, Server};
    ///
    /// let app = axum::Router::new().route_service("/ready", http::ready());
    /// let server = Server::new(http::service(app), "127.0.0.1:0")
    ///     .lame_duck(Duration::from_secs(30))
    ///     .lame_duck_quiet(Duration::from_secs(2));
    /// # drop(server.bind()?);
    /// # Ok::<_, std::io::Error>(())
    /// ```
    pub fn lame_duck_quiet(mut self, quiet: Duration) -> Self {
        self.settings.lame_duck_quiet = quiet;
        self
    }

    /// Sets over what time a drain is spread, from its begin on: the connections drain in 32 groups, one after
    /// the other. Until its turn has come, a connection that is idle stays so, and a handler's
    /// [stop token](super::RequestExt::stop_token) is not stopped. **0 s** by default: all at once.
    ///
    /// Ten thousand clients whose connections close at once come back at once, at the servers that are left:
    /// each with a handshake, and with a query for what it has missed. For event streams and WebSockets above
    /// all, whose handlers end them when their token is stopped.
    ///
    /// Each response says close from the stop on, as always. New connections are refused at once, and the
    /// deadline of the group holds: let it be longer. If it is not, a record of the log tells that when the server
    /// starts (`drain too short`). The drain ends as soon as no connection is left; those that it does not
    /// [wait for](Server::wait_upgraded) have no turn.
    pub fn spread(mut self, window: Duration) -> Self {
        self.settings.spread = window;
        self
    }
}
