//! Waiting until the services of a group are ready.

use super::bulletin::Bulletin;
use crate::sync::{AtomicU64, EventListener, Ordering};

/// When the group started, and those that wait for its services to be ready.
pub(crate) struct Readiness {
    /// When the group started, by its own clock; 0 until then.
    opened: AtomicU64,

    bulletin: Bulletin,
}

impl Readiness {
    pub(crate) fn new() -> Readiness {
        Readiness {
            opened: AtomicU64::new(0),
            bulletin: Bulletin::new(),
        }
    }

    /// Notes that the group has started.
    pub(crate) fn open(&self, now: u64) {
        self.opened.store(now, Ordering::SeqCst);
        self.announce();
    }

    /// Returns when the group started, by its own clock; `None` if it has not.
    pub(crate) fn opened_at(&self) -> Option<u64> {
        Some(self.opened.load(Ordering::SeqCst)).filter(|&at| at != 0)
    }

    /// Tells the watchers that a service is ready, or has ended. One load if there is no watcher.
    pub(crate) fn announce(&self) {
        self.bulletin.announce();
    }

    /// Listens for [announcements](Readiness::announce); what was before has to be checked after.
    pub(crate) fn watch(&self) -> EventListener {
        self.bulletin.watch()
    }
}
