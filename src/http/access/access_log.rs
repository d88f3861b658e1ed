//! What can be set on an access log.

use std::fmt;

use super::record::Access;

/// Which records are wanted.
pub(super) type Wanted = Box<dyn Fn(&Access) -> bool + Send>;

/// The access log of a server: a record of each request by way of the `log` crate, for
/// [`Server::access_log`](crate::http::Server::access_log).
///
/// The records have the level info and the target `neap::access`, so that a logger can keep them apart. Their
/// text is that of [`Access`], and their keys are
///
/// | key | value |
/// |---|---|
/// | `event` | `request` |
/// | `service` | the name of the server's service |
/// | `method`, `path`, `version` | as in [`Access`]; null if the head was refused |
/// | `status` | a number; null if no answer was begun |
/// | `bytes` | of the answer's body |
/// | `duration_us` | in microseconds |
/// | `peer` | the other end of the connection |
/// | `request_id` | the field `X-Request-Id`, or null |
/// | `cut` | true if the answer was not sent to its end |
///
/// **It blocks no handler.** Loggers may block: env_logger writes to standard error, which may be a pipe that
/// nobody reads. So connections put their records into a queue, and a thread of the server's hands them to
/// the logger. When the queue is full, records are lost and counted, and a record says how many: `access log
/// full`, at the level warn with the target `neap`. That thread works in batches: a record may take 20 ms to
/// its logger.
///
/// At the stop, all that is in the queue is written before the service ends, and so before `run` returns. If
/// the service is cancelled, no more than 500 ms are waited for that.
///
/// This is a setting of the server instead of a middleware, as only the server knows when the last byte of an
/// answer was sent and which were cut, and sees the requests that no handler does, such as a malformed one: those are
/// logged too. [`only`](AccessLog::only) has those of some routes alone. An answer that switches protocols has its record
/// when the switch is made. A server that was bound and never ran logs nothing.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use neap::http::{self, AccessLog, Server};
///
/// let app = Router::new()
///     .route("/hello", get(async || "Hello World!"))
///     .route_service("/live", http::live());
/// let log = AccessLog::new().only(|access| access.path != "/live");
/// let server = Server::new(http::service(app), "127.0.0.1:0").access_log(log);
/// # drop(server);
/// ```
pub struct AccessLog {
    pub(super) capacity: usize,
    pub(super) with_query: bool,
    pub(super) wanted: Wanted,
}

impl AccessLog {
    /// Makes the log of all requests, without their queries.
    #[must_use]
    pub fn new() -> Self {
        Self {
            capacity: 8192,
            with_query: false,
            wanted: Box::new(|_| true),
        }
    }

    /// Sets whether a path is logged with its query. **False** by default: queries may have what is secret, and
    /// are as long as a client likes.
    #[must_use]
    pub fn query(mut self, logged: bool) -> Self {
        self.with_query = logged;
        self
    }

    /// Sets how many records may wait for the logger, at least one; others are lost. **8192** by default.
    ///
    /// A record has some 200 bytes, and 5 kB at the most.
    #[must_use]
    pub fn capacity(mut self, records: usize) -> Self {
        self.capacity = records.max(1);
        self
    }

    /// Sets which records are logged: those for which this returns true. **All** are by default.
    ///
    /// It is called by the thread that writes, so it delays no request. If it panics, the record is left out.
    #[must_use]
    pub fn only(mut self, wanted: impl Fn(&Access) -> bool + Send + 'static) -> Self {
        self.wanted = Box::new(wanted);
        self
    }
}

impl Default for AccessLog {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessLog")
            .field("capacity", &self.capacity)
            .field("query", &self.with_query)
            .finish_non_exhaustive()
    }
}
