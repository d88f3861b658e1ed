//! The children of a service: counted, and joined before it counts as ended.

use crate::sync::{AtomicU32, Ordering};

/// The bit that says that the service itself waits for the end of its children.
const JOINING: u32 = 1 << 31;

/// The bit that says that all children have ended, and that there will be no more.
const CLOSED: u32 = 1 << 30;

/// Counts the children of a service that have not ended; the two upper bits are flags.
pub(crate) struct Children(AtomicU32);

impl Children {
    pub(crate) fn new() -> Children {
        Children(AtomicU32::new(0))
    }

    /// Counts a child in; false if there will be no more.
    pub(crate) fn enter(&self) -> bool {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        if before & CLOSED != 0 {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
        before & CLOSED == 0
    }

    /// Counts a child out; true if the service waits for just that.
    #[must_use = "the service sleeps on"]
    pub(crate) fn leave(&self) -> bool {
        self.0.fetch_sub(1, Ordering::AcqRel) == JOINING | 1
    }

    /// Returns true once all children have ended, and then there will be no more. Otherwise the
    /// end of the last one [returns true](Children::leave).
    pub(crate) fn join(&self) -> bool {
        let (joining, closed) = (JOINING, JOINING | CLOSED);
        let before = self.0.fetch_or(joining, Ordering::AcqRel);
        let close = || {
            self.0
                .compare_exchange(joining, closed, Ordering::AcqRel, Ordering::Relaxed)
        };
        before & !joining == 0 && close().is_ok()
    }

    /// Returns true if the service itself has ended, and waits for its children.
    pub(crate) fn are_awaited(&self) -> bool {
        self.0.load(Ordering::Relaxed) & JOINING != 0
    }

    /// Returns how many children have not ended.
    pub(crate) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed) & !(JOINING | CLOSED)
    }
}
