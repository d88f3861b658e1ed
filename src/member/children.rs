//! The children of a service: counted, and joined before it counts as ended.

use std::sync::atomic::Ordering;

use super::Record;
use crate::executor::Node;

/// The bit of [`Record::children`] that says that the service itself waits for their end.
const JOINING: u32 = 1 << 31;

/// The bit that says that they have all ended, and that there will be no more.
const CLOSED: u32 = 1 << 30;

impl Node<Record> {
    /// Counts a child in; false if the service has ended, or is cancelled.
    pub(crate) fn enter_child(&self) -> bool {
        if self.is_cancelled() {
            return false;
        }
        let before = self.data.children.fetch_add(1, Ordering::Relaxed);
        if before & CLOSED != 0 {
            self.data.children.fetch_sub(1, Ordering::Relaxed);
        }
        before & CLOSED == 0
    }

    /// Counts a child out, and wakes the service if that is all it waits for.
    pub(crate) fn leave_child(&self) {
        if self.data.children.fetch_sub(1, Ordering::AcqRel) == JOINING | 1 {
            self.wake_task();
        }
    }

    /// Whether all children have ended; if not, the service is woken when they have.
    pub(crate) fn join_children(&self) -> bool {
        let children = &self.data.children;
        children.fetch_or(JOINING, Ordering::AcqRel) & !JOINING == 0
            && children
                .compare_exchange(
                    JOINING,
                    JOINING | CLOSED,
                    Ordering::AcqRel,
                    Ordering::Relaxed,
                )
                .is_ok()
    }

    /// How many children are yet to end.
    pub(crate) fn children(&self) -> u32 {
        self.data.children.load(Ordering::Relaxed) & !(JOINING | CLOSED)
    }
}
