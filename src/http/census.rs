//! Who is connected, and what became of them.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use slab::Slab;

use super::wire::{State, Wire};

/// Every connection of a server.
#[derive(Debug, Default)]
pub(super) struct Census {
    wires: Mutex<Slab<Arc<Wire>>>,
    /// What was found when the drain began.
    drain: OnceLock<(Instant, Tally)>,
    accepted: AtomicUsize,
    idle_closed: AtomicUsize,
    cut: [AtomicUsize; State::ALL.len()],
}

impl Census {
    fn wires(&self) -> MutexGuard<'_, Slab<Arc<Wire>>> {
        // Whoever panicked held it for one call of the slab: it is whole.
        self.wires.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up a connection; the key is what it leaves by.
    pub(super) fn enter(&self, wire: Arc<Wire>) -> usize {
        if self.drain.get().is_some() {
            self.accepted.fetch_add(1, Ordering::Relaxed);
        }
        self.wires().insert(wire)
    }

    /// Strikes a connection off. Its socket is the connection's alone again.
    pub(super) fn leave(&self, key: usize) {
        self.wires().try_remove(key);
    }

    /// Notes a connection that was closed in the drain because nothing came over it.
    pub(super) fn idle_closed(&self) {
        self.idle_closed.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes a connection that was dropped.
    pub(super) fn cut(&self, state: State) {
        self.cut[state as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many connections are in each state.
    pub(super) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for (_, wire) in self.wires().iter() {
            *tally.of(wire.state()) += 1;
        }
        tally
    }

    /// Notes who is there as the drain begins.
    pub(super) fn drain(&self) {
        let _ = self.drain.set((Instant::now(), self.tally()));
    }

    /// What became of all of them; `None` if there was no drain.
    pub(super) fn report(&self) -> Option<Report> {
        let (since, found) = self.drain.get()?;
        let mut cut = Tally::default();
        for state in State::ALL {
            *cut.of(state) = self.cut[state as usize].load(Ordering::Relaxed);
        }
        Some(Report {
            took: since.elapsed(),
            found: *found,
            accepted: self.accepted.load(Ordering::Relaxed),
            idle_closed: self.idle_closed.load(Ordering::Relaxed),
            cut,
        })
    }
}

/// Connections by state.
///
/// # Examples
///
/// ```
/// use neap::http::Tally;
///
/// let tally = Tally { active: 2, idle: 1, ..Tally::default() };
/// assert_eq!(tally.to_string(), "2 active, 1 idle");
/// assert_eq!(tally.total(), 3);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Accepted, without a byte yet.
    pub fresh: usize,
    /// With a part of a request's head.
    pub head: usize,
    /// With a handler at work and nothing of its response sent.
    pub active: usize,
    /// With a response on its way.
    pub responding: usize,
    /// Kept alive, between two requests.
    pub idle: usize,
    /// No longer HTTP.
    pub upgraded: usize,
    /// Closed on our side, the peer's awaited.
    pub linger: usize,
}

impl Tally {
    /// All of them.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(neap::http::Tally::default().total(), 0);
    /// ```
    #[must_use]
    pub fn total(&self) -> usize {
        self.each().iter().map(|(count, _)| count).sum()
    }

    fn of(&mut self, state: State) -> &mut usize {
        match state {
            State::Fresh => &mut self.fresh,
            State::Head => &mut self.head,
            State::Active => &mut self.active,
            State::Responding => &mut self.responding,
            State::Idle => &mut self.idle,
            State::Upgraded => &mut self.upgraded,
            State::Linger => &mut self.linger,
        }
    }

    fn each(&self) -> [(usize, &'static str); 7] {
        [
            (self.fresh, "fresh"),
            (self.head, "in a head"),
            (self.active, "active"),
            (self.responding, "responding"),
            (self.idle, "idle"),
            (self.upgraded, "upgraded"),
            (self.linger, "lingering"),
        ]
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (count, name) in self.each().into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{separator}{count} {name}")?;
            separator = ", ";
        }
        if separator.is_empty() {
            f.write_str("none")?;
        }
        Ok(())
    }
}

/// How a drain went.
///
/// Logged when the last connection is gone, and given to
/// [`Server::on_drained`](super::Server::on_drained).
///
/// # Examples
///
/// ```
/// use neap::http::Report;
///
/// fn alert(report: Report) {
///     if !report.is_clean() {
///         eprintln!("requests were cut: {report}");
///     }
/// }
/// # drop(alert);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How long it took, from the drain's begin to the last connection's end.
    pub took: Duration,
    /// The connections there were when it began.
    pub found: Tally,
    /// How many were taken from the kernel's queue after that.
    pub accepted: usize,
    /// How many were closed because nothing came over them.
    pub idle_closed: usize,
    /// How many were dropped at the deadline, or by a second stop.
    pub cut: Tally,
}

impl Report {
    /// Whether nothing was cut that had begun a request, or was no longer HTTP.
    ///
    /// # Examples
    ///
    /// ```
    /// fn exit_code(report: &neap::http::Report) -> i32 {
    ///     if report.is_clean() { 0 } else { 1 }
    /// }
    /// ```
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let Tally {
            head,
            active,
            responding,
            upgraded,
            ..
        } = self.cut;
        head + active + responding + upgraded == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.is_clean() {
            "drained"
        } else {
            "cancelled"
        };
        let millis = self.took.as_millis();
        write!(f, "{how} in {millis} ms, found {}", self.found)?;
        write!(
            f,
            "; accepted {}, closed idle {}",
            self.accepted, self.idle_closed
        )?;
        write!(f, "; cut {}", self.cut)
    }
}
