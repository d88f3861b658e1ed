//! What a stop is made of: a value that is set once, those that wait for it, and the latches below
//! that are set with it.

use std::sync::{Arc, Weak};
use std::time::Instant;

use slab::Slab;

use super::cause::Cause;
use crate::sync::{Event, Mutex, MutexGuard, OnceLock, lock};

/// What a stop says: why, when, and until when there is time.
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

    /// Notified once `stop` is set. Holds no memory until something waits.
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
        lock(&self.children)
    }

    /// Sets the stop here and in everything below; `None` if it was set here before.
    ///
    /// This wakes nothing: the caller has to wake the waiters that are returned. A latch below that
    /// was set before is walked through all the same: the thread that set it may not have come to
    /// what is below that, and must not be waited for.
    pub(crate) fn set(self: &Arc<Latch>, stop: &Stop) -> Option<Waiters> {
        self.stop.set(stop.clone()).ok()?;
        let mut below = Vec::new();
        let mut walked = self.live_children();
        while let Some(latch) = walked.pop() {
            let further = latch.live_children_after(stop, &mut below);
            walked.extend(further);
        }
        let own = Arc::clone(self);
        Some(Waiters { own, below })
    }

    /// Sets the stop, adds this latch to `below` if that was news, and returns its children.
    fn live_children_after(
        self: Arc<Latch>,
        stop: &Stop,
        below: &mut Vec<Arc<Latch>>,
    ) -> Vec<Arc<Latch>> {
        let is_news = self.stop.set(stop.clone()).is_ok();
        let children = self.live_children();
        if is_news {
            below.push(self);
        }
        children
    }

    /// Returns the children that are still there.
    ///
    /// Not dropped under the lock: the last owner of a child may be the one that this makes, and
    /// the drop of a latch takes the lock of its parent.
    fn live_children(&self) -> Vec<Arc<Latch>> {
        let alive = |(_, child): (usize, &Weak<Latch>)| child.upgrade();
        self.children().iter().filter_map(alive).collect()
    }

    /// Has another latch, which has no parent, close with this one.
    pub(crate) fn adopt(self: &Arc<Latch>, orphan: &Arc<Latch>) -> Option<Waiters> {
        let key = self.children().insert(Arc::downgrade(orphan));
        if orphan.parent.set((Arc::clone(self), key)).is_err() {
            // It has one, and goes on with that.
            self.children().remove(key);
            return None;
        }
        // As in `child`: a stop that did not find it is found here.
        orphan.set(self.stop.get()?)
    }

    /// Makes a latch that closes with this one; a child of a closed latch is born closed.
    ///
    /// A parent is set before it locks its children to set them too, so a child that is put down
    /// there later than that finds the parent set after it, and none is missed.
    pub(crate) fn child(self: &Arc<Latch>) -> Arc<Latch> {
        let child = Arc::new(Latch::new());
        let key = self.children().insert(Arc::downgrade(&child));
        // Set for the first and only time: nothing else has seen this latch.
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
        // A loop and no recursion: a chain of latches may be longer than the stack is deep.
        let mut above = self.parent.take();
        while let Some((parent, key)) = above {
            parent.children().remove(key);
            above = Arc::into_inner(parent).and_then(|mut parent| parent.parent.take());
        }
    }
}

/// Latches that have been set and whose waiters are still to be woken.
#[must_use = "those that wait for the stop sleep on"]
pub(crate) struct Waiters {
    /// The one that was stopped.
    own: Arc<Latch>,

    /// Those that it stopped: none as a rule, and then no allocation.
    below: Vec<Arc<Latch>>,
}

impl Waiters {
    pub(crate) fn wake(self) {
        self.own.waiters.notify(usize::MAX);
        for latch in self.below {
            latch.waiters.notify(usize::MAX);
        }
    }
}
