//! Waiting until the services of a group are ready.

use crate::sync::{AtomicBool, AtomicU64, Event, EventListener, Ordering};

/// When the group started, and those that wait for its services to be ready.
pub(crate) struct Readiness {
    /// When the group started, by its own clock; 0 until then.
    opened: AtomicU64,

    watchers: Event,

    /// True once there was a watcher.
    is_watched: AtomicBool,

    /// True once a server has seen all services beside it ready, or ended. Nothing is ordered by it.
    #[cfg(feature = "http")]
    were_others_up: AtomicBool,
}

impl Readiness {
    pub(crate) fn new() -> Readiness {
        Readiness {
            opened: AtomicU64::new(0),
            watchers: Event::new(),
            is_watched: AtomicBool::new(false),
            #[cfg(feature = "http")]
            were_others_up: AtomicBool::new(false),
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
    ///
    /// `SeqCst`, as is the change of the service's lifecycle before this. A watcher that is not
    /// told has set the flag after this load, and then sees that change.
    pub(crate) fn announce(&self) {
        if self.is_watched.load(Ordering::SeqCst) {
            self.watchers.notify(usize::MAX);
        }
    }

    /// Listens for [announcements](Readiness::announce); what was before has to be checked after.
    pub(crate) fn watch(&self) -> EventListener {
        self.is_watched.store(true, Ordering::SeqCst);
        self.watchers.listen()
    }

    /// Notes that the program has started, as a server sees it: it stays so.
    #[cfg(feature = "http")]
    pub(super) fn set_others_up(&self) {
        self.were_others_up.store(true, Ordering::Relaxed);
    }

    /// Returns true if that was noted.
    #[cfg(feature = "http")]
    pub(super) fn were_others_up(&self) -> bool {
        self.were_others_up.load(Ordering::Relaxed)
    }
}
