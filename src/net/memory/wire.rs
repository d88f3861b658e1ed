//! What all connections of a network in memory share.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::time::clock::Clock;
use crate::time::sleep::Sleep;

/// What all connections of a network share.
pub(crate) struct Wire {
    /// How many bytes each direction of a connection holds.
    pub(super) capacity: usize,
    /// How long a segment is on its way, and the clock that this goes by; `None` if it arrives at once.
    delay: Option<(Duration, Clock)>,
    /// The time of a network without a clock: all happens at once.
    start: Instant,
    /// How many ends of connections are open.
    open: AtomicUsize,
    observer: OnceLock<Observer>,
}

/// A function that is called before each operation.
pub(super) type Observer = Box<dyn Fn(Side, Operation) + Send + Sync>;

/// One side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// What either side does on the network: what would be a system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Connect,
    Accept,
    Read,
    Write,
    Shutdown,
    Close,
    Refuse,
}

impl Side {
    pub(super) fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

impl Wire {
    pub(super) fn new(capacity: usize, delay: Option<(Duration, Clock)>) -> Wire {
        Wire {
            capacity,
            delay,
            start: Instant::now(),
            open: AtomicUsize::new(0),
            observer: OnceLock::new(),
        }
    }

    /// Returns the time.
    pub(super) fn now(&self) -> Instant {
        self.delay
            .as_ref()
            .map_or(self.start, |(_, clock)| clock.now())
    }

    /// Returns when a segment arrives that is sent now.
    pub(super) fn arrival(&self) -> Instant {
        self.later(self.now())
    }

    /// Returns when a segment arrives that is sent at this time.
    pub(super) fn later(&self, at: Instant) -> Instant {
        let delay = self
            .delay
            .as_ref()
            .map_or(Duration::ZERO, |(delay, _)| *delay);
        at + delay
    }

    /// Returns a wait for an instant; `None` if there is no clock to wait by.
    pub(super) fn sleep_until(&self, at: Instant) -> Option<Sleep> {
        let (_, clock) = self.delay.as_ref()?;
        Some(clock.sleep(at.saturating_duration_since(clock.now())))
    }

    /// Waits for as long as a segment is on its way.
    pub(super) async fn travel(&self) {
        if let Some((delay, clock)) = &self.delay {
            clock.sleep(*delay).await;
        }
    }

    /// Counts both ends of a connection as open.
    pub(super) fn open(&self) {
        self.open.fetch_add(2, Ordering::SeqCst);
    }

    /// Counts an end as closed.
    pub(super) fn close(&self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }

    /// Returns how many ends are open.
    pub(super) fn open_ends(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// Has a function called before each operation. Without effect if there is one already.
    #[cfg(feature = "http")]
    pub(super) fn observe(&self, observer: Observer) {
        let _ = self.observer.set(observer);
    }

    /// Tells the observer, if there is one, of an operation that is about to happen.
    pub(super) fn note(&self, side: Side, operation: Operation) {
        if let Some(observe) = self.observer.get() {
            observe(side, operation);
        }
    }
}
