//! The connections of a server, and what became of them in its drain.

use std::net::Shutdown;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Instant;

use slab::Slab;

use super::report::Report;
use super::tally::Tally;
use crate::http::socket::{ConnState, Socket};

/// The sockets of the connections of a server.
#[derive(Debug, Default)]
pub(in crate::http) struct Sockets(Mutex<Slab<Arc<Socket>>>);

impl Sockets {
    fn all(&self) -> MutexGuard<'_, Slab<Arc<Socket>>> {
        // The lock is held for single calls of the slab only, so a panic leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the connections by state.
    pub(in crate::http) fn add_to(&self, tally: &mut Tally) {
        for (_, socket) in self.all().iter() {
            *tally.count_mut(socket.state()) += 1;
        }
    }
}

/// All connections of a server.
#[derive(Debug, Default)]
pub(in crate::http) struct Registry {
    sockets: Arc<Sockets>,
    /// Upgraded connections that the drain does not wait for. They end with it, if not before.
    left_open: Mutex<Vec<Weak<Socket>>>,
    /// When the drain began, and the connections there were.
    drain: OnceLock<(Instant, Tally)>,
    /// How many connections have come since the drain began.
    accepted: AtomicUsize,
    /// How many connections were closed in the drain because no request came.
    idle_closed: AtomicUsize,
    /// How many connections were dropped, by state.
    cut: [AtomicUsize; ConnState::ALL.len()],
}

impl Registry {
    pub(in crate::http) fn sockets(&self) -> &Arc<Sockets> {
        &self.sockets
    }

    /// Adds a connection; returns the key to remove it by.
    pub(in crate::http) fn enter(&self, socket: Arc<Socket>) -> usize {
        if self.drain.get().is_some() {
            self.accepted.fetch_add(1, Ordering::Relaxed);
        }
        self.sockets.all().insert(socket)
    }

    /// Removes a connection. After it the connection alone holds its socket.
    pub(in crate::http) fn leave(&self, key: usize) {
        self.sockets.all().try_remove(key);
    }

    /// Has an upgraded connection end with the drain, which does not wait for it.
    pub(in crate::http) fn leave_open(&self, socket: &Arc<Socket>) {
        let left_open = self.left_open.lock();
        let mut left_open = left_open.unwrap_or_else(PoisonError::into_inner);
        left_open.push(Arc::downgrade(socket));
    }

    /// Counts a connection that was closed in the drain because no request came.
    pub(in crate::http) fn count_idle_closed(&self) {
        self.idle_closed.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a connection that is dropped in this state, before it leaves. If the drain had not begun, it
    /// begins with that, so that there is a report: a busy executor may give the server no turn between
    /// the stop and the cancel.
    pub(in crate::http) fn count_cut(&self, state: ConnState, now: Instant) {
        self.begin_drain(now);
        self.cut[state as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the connections by state.
    pub(in crate::http) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        self.sockets.add_to(&mut tally);
        tally
    }

    /// Records the connections there are when the drain begins.
    pub(in crate::http) fn begin_drain(&self, now: Instant) {
        self.drain.get_or_init(|| (now, self.tally()));
    }

    /// Reports on the drain; `None` if there was none.
    pub(in crate::http) fn report(&self, now: Instant) -> Option<Report> {
        let (since, found) = self.drain.get()?;
        let mut cut = Tally::default();
        for state in ConnState::ALL {
            *cut.count_mut(state) = self.cut[state as usize].load(Ordering::Relaxed);
        }
        Some(Report {
            took: now.saturating_duration_since(*since),
            found: *found,
            accepted: self.accepted.load(Ordering::Relaxed),
            idle_closed: self.idle_closed.load(Ordering::Relaxed),
            cut,
        })
    }
}

/// The drain is over: nothing that a client holds is left.
impl Drop for Registry {
    fn drop(&mut self) {
        let left_open = self.left_open.get_mut();
        let left_open = left_open.unwrap_or_else(PoisonError::into_inner);
        for socket in left_open.iter().filter_map(Weak::upgrade) {
            // It may have been closed already.
            let _ = socket.stream.shutdown(Shutdown::Both);
        }
    }
}
