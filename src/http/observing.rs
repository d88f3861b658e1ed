//! What is told of a server.

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
        self.on_drained = Some(Box::new(hook));
        self
    }

    /// Has what the server does counted. **Nothing is** by default.
    ///
    /// The counters may be read from anywhere, also by a handler of the server's own.
    pub fn counters(mut self, counters: &Counters) -> Self {
        self.counters = Some(counters.clone());
        self
    }
}
