//! What all connections of a network in memory share.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What all connections of a network share.
pub(crate) struct Wire {
    /// How many bytes each direction of a connection holds.
    pub(super) capacity: usize,
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
    pub(super) fn new(capacity: usize) -> Wire {
        Wire {
            capacity,
            open: AtomicUsize::new(0),
            observer: OnceLock::new(),
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
