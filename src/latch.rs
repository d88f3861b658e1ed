//! What a stop is made of: something that is set once, with those that wait for it and those that
//! are set with it.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Instant;

use event_listener::Event;
use slab::Slab;

use crate::Cause;

/// What a stop says: why, and until when there is time.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    pub(crate) cause: Cause,
    pub(crate) at: Instant,
    pub(crate) deadline: Option<Instant>,
}

/// The state that a source shares with its tokens and its children.
pub(crate) struct Latch {
    /// Set once, before any waiter is woken; everything else follows from it.
    pub(crate) stop: OnceLock<Stop>,

    /// Those who wait for `stop` to be set. Holds no memory until somebody waits.
    pub(crate) waiters: Event,

    /// The latches that close with this one.
    children: Mutex<Slab<Weak<Latch>>>,

    /// The latch that this one closes with, and the key it has there. Set at birth or never.
    parent: OnceLock<(Arc<Latch>, usize)>,
}

impl Latch {
    pub(crate) fn new() -> Latch {
        Latch {
            stop: OnceLock::new(),
            waiters: Event::new(),
            children: Mutex::new(Slab::new()),
            parent: OnceLock::new(),
        }
    }

    /// The children, also after a panic: a slab is whole between any two of its calls.
    fn children(&self) -> MutexGuard<'_, Slab<Weak<Latch>>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the stop here and in everything below; `None` if it was set before.
    ///
    /// Nobody is woken yet: the answer holds the latches whose waiters have to be.
    pub(crate) fn set(self: &Arc<Latch>, stop: &Stop) -> Option<Waiters> {
        self.stop.set(stop.clone()).ok()?;
        let mut closed = vec![Arc::clone(self)];
        let mut next = 0;
        while next < closed.len() {
            let below: Vec<_> = closed[next]
                .children()
                .iter()
                .filter_map(|c| c.1.upgrade())
                .collect();
            closed.extend(
                below
                    .into_iter()
                    .filter(|child| child.stop.set(stop.clone()).is_ok()),
            );
            next += 1;
        }
        Some(Waiters(closed))
    }

    /// Makes a latch that closes with this one; a child of a closed latch is born closed.
    ///
    /// A parent is set before it locks its children to set them too, so a child that is put down
    /// there later than that finds the parent set after it, and none is missed.
    pub(crate) fn child(self: &Arc<Latch>) -> Arc<Latch> {
        let child = Arc::new(Latch::new());
        let key = self.children().insert(Arc::downgrade(&child));
        // Set for the first and only time: nobody else has seen this latch.
        let _ = child.parent.set((Arc::clone(self), key));
        if let Some(stop) = self.stop.get() {
            // The parent may close at this very moment and have set it already: the same stop.
            let _ = child.stop.set(stop.clone());
        }
        child
    }
}

impl Drop for Latch {
    fn drop(&mut self) {
        if let Some((parent, key)) = self.parent.take() {
            parent.children().remove(key);
        }
    }
}

/// Latches that have been set and whose waiters are still to be woken.
#[must_use = "those who wait for the stop sleep on"]
pub(crate) struct Waiters(Vec<Arc<Latch>>);

impl Waiters {
    pub(crate) fn wake(self) {
        for latch in self.0 {
            latch.waiters.notify(usize::MAX);
        }
    }
}
