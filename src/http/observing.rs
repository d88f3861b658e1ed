//! What is told of a server.

use super::access::AccessLog;
use super::counters::Counters;
use super::drain::Report;
use super::server::Server;

/// # Observing
impl<A> Server<A> {
    /// Sets a function that is called with the drain's report when the last connection has ended.
    ///
    /// It runs on the thread that drops that connection, and should be brief. A server that is cancelled
    /// before its drain reports on the connections that this has cut. It is not called if there was neither a
    /// drain nor such a connection.
    pub fn on_drained(mut self, hook: impl FnOnce(Report) + Send + 'static) -> Self {
        self.observers.on_drained = Some(Box::new(hook));
        self
    }

    /// Has what the server does counted. **Nothing is** by default.
    ///
    /// The counters may be read from anywhere, also by a handler of the server's own.
    pub fn counters(mut self, counters: &Counters) -> Self {
        self.observers.counters = Some(counters.clone());
        self
    }

    /// Has a record of each request written by way of the `log` crate. **None is** by default.
    ///
    /// It blocks no handler. See [`AccessLog`].
    ///
    /// # Errors
    ///
    /// The service fails if the system has no thread left for it.
    pub fn access_log(mut self, log: AccessLog) -> Self {
        self.observers.access_log = Some(log);
        self
    }
}
