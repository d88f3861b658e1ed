//! What servers have done so far, in numbers.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use super::drain::{Sockets, Tally};
use super::socket::Shard;
use crate::sync::{Mutex, lock};

/// In how many places is counted, so that threads do not wait for each other's.
const SHARDS: usize = 8;

/// What servers have done so far, in numbers that can be exported at any time.
///
/// Give it to a server by [`Server::counters`](super::Server::counters), and keep a clone for what
/// [reads](Counters::read) it: a route of the app for one. Two servers may have the same, which then counts for
/// both.
///
/// To count costs a server some atomic additions per request and connection; a server without counters does not
/// count.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use neap::http::{self, Counters, Server};
///
/// let counters = Counters::new();
/// let shown = counters.clone();
/// let app = Router::new().route("/counts", get(async move || format!("{:?}", shown.read())));
/// let server = Server::new(http::service(app), "127.0.0.1:0").counters(&counters);
/// assert_eq!(counters.read().accepted, 0);
/// # drop(server);
/// ```
#[derive(Clone, Default)]
pub struct Counters(Arc<Shared>);

#[derive(Default)]
struct Shared {
    shards: [Arc<Shard>; SHARDS],
    /// The number of connections so far, by which they are spread.
    accepted: AtomicUsize,
    /// The connections of each server.
    servers: Mutex<Vec<Weak<Sockets>>>,
}

/// Numbers of [`Counters`]. All but `connections` only ever grow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// The connections there are, by what they are at. Requests in flight are those that are active or
    /// responding.
    pub connections: Tally,

    /// How many connections were accepted.
    pub accepted: u64,

    /// How many responses were written to their end, by status, those that the server itself gave included.
    /// In the order of the statuses, and none of them zero.
    pub answers: Vec<(u16, u64)>,

    /// How many responses were cut, or never begun: the client was gone or took nothing in time, a body has
    /// failed, or the server was cancelled.
    pub cut: u64,

    /// How many bytes were read from connections, those after an upgrade included.
    pub received: u64,

    /// How many bytes were written to connections, those after an upgrade included.
    pub sent: u64,
}

impl Counters {
    /// Makes counters that are all zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the numbers of this moment.
    ///
    /// It looks at each connection, with a lock that a new or an ended connection waits for: at ten thousand
    /// that is some 50 us.
    #[must_use]
    pub fn read(&self) -> Counts {
        let Self(shared) = self;
        let sum = |number: fn(&Shard) -> u64| shared.shards.iter().map(|shard| number(shard)).sum();
        let answers = (100..1000).map(|status| {
            let counts = shared.shards.iter().map(|shard| shard.answers(status));
            (status, counts.sum())
        });
        let mut connections = Tally::default();
        lock(&shared.servers)
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|sockets| sockets.add_to(&mut connections));
        Counts {
            connections,
            accepted: shared.accepted.load(Ordering::Relaxed) as u64,
            answers: answers.filter(|(_, count)| *count > 0).collect(),
            cut: sum(Shard::cut),
            received: sum(Shard::received),
            sent: sum(Shard::sent),
        }
    }

    /// Counts a server's connections among the present ones.
    pub(super) fn add(&self, sockets: &Arc<Sockets>) {
        let mut servers = lock(&self.0.servers);
        // A server that is restarted leaves nothing behind.
        servers.retain(|sockets| sockets.strong_count() > 0);
        servers.push(Arc::downgrade(sockets));
    }

    /// Counts a connection that has just been accepted, and returns its place.
    pub(super) fn accept(&self) -> Arc<Shard> {
        let number = self.0.accepted.fetch_add(1, Ordering::Relaxed);
        Arc::clone(&self.0.shards[number % SHARDS])
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counters").field(&self.read()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_has_ended_leaves_nothing_behind() {
        let counters = Counters::new();
        for _ in 0..100 {
            counters.add(&Arc::default());
        }
        assert_eq!(lock(&counters.0.servers).len(), 1);
        let present = Arc::default();
        counters.add(&present);
        counters.add(&present);
        assert_eq!(lock(&counters.0.servers).len(), 2);
    }
}
