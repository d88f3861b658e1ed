//! An event that costs one load where nobody waits for it.

use crate::sync::{AtomicBool, Event, EventListener, Ordering};

/// An event that costs one load where nobody waits for it.
///
/// All is `SeqCst`, as has to be the change that is announced. A watcher that is not told has set the
/// flag after the load, and then sees that change.
pub(crate) struct Bulletin {
    watchers: Event,

    /// True once there was a watcher.
    is_watched: AtomicBool,
}

impl Bulletin {
    pub(crate) fn new() -> Bulletin {
        Bulletin {
            watchers: Event::new(),
            is_watched: AtomicBool::new(false),
        }
    }

    /// Tells the watchers of a change that was made before.
    pub(crate) fn announce(&self) {
        if self.is_watched.load(Ordering::SeqCst) {
            self.watchers.notify(usize::MAX);
        }
    }

    /// Listens for the next announcement; what was before has to be checked after.
    pub(crate) fn watch(&self) -> EventListener {
        self.is_watched.store(true, Ordering::SeqCst);
        self.watchers.listen()
    }
}
