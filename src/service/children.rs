//! The children of a service: counted, and joined before it counts as ended.

use crate::sync::{AtomicU32, Ordering};

/// The bit that says that the service itself waits for the end of its children.
const JOINING: u32 = 1 << 31;

/// The bit that says that all children have ended, and that there will be no more.
const CLOSED: u32 = 1 << 30;

/// The bit that says that the task of the service was dropped: the last child ends it.
const ORPHANED: u32 = 1 << 29;

/// The bits that count.
const COUNT: u32 = ORPHANED - 1;

/// Counts the children of a service that have not ended; the three upper bits are flags.
pub(crate) struct Children(AtomicU32);

/// What the end of a child means for its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// There are others, or the service itself has not ended.
    Nothing,

    /// The task of the service waits for just that.
    Awaited,

    /// The service has no task any more. It is ended here, if it can be
    /// [joined](Children::join_orphaned).
    Orphaned,
}

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

    /// Counts a child out.
    #[must_use = "the service sleeps on"]
    pub(crate) fn leave(&self) -> Left {
        const LAST: u32 = JOINING | 1;
        const LAST_OF_ORPHANED: u32 = JOINING | ORPHANED | 1;
        match self.0.fetch_sub(1, Ordering::AcqRel) {
            LAST => Left::Awaited,
            LAST_OF_ORPHANED => Left::Orphaned,
            _ => Left::Nothing,
        }
    }

    /// Returns true once all children have ended, and then there will be no more. Otherwise the
    /// end of the last one is [awaited](Left::Awaited).
    pub(crate) fn join(&self) -> bool {
        self.close(JOINING)
    }

    /// Joins the children of a service whose task was dropped: if not all have ended, the last one
    /// is told that the service is [orphaned](Left::Orphaned). Returns true once only.
    pub(crate) fn join_orphaned(&self) -> bool {
        self.close(JOINING | ORPHANED)
    }

    fn close(&self, flags: u32) -> bool {
        let none = (self.0.fetch_or(flags, Ordering::AcqRel) | flags) & !CLOSED;
        // Fails if there are children, and also if it is closed already.
        none & COUNT == 0
            && self
                .0
                .compare_exchange(none, none | CLOSED, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
    }

    /// Returns true if the service itself has ended, and waits for its children.
    pub(crate) fn are_awaited(&self) -> bool {
        self.0.load(Ordering::Relaxed) & JOINING != 0
    }

    /// Returns how many children have not ended.
    pub(crate) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed) & COUNT
    }
}
