//! The waker of a task, which is at the same time the record of what the task is about.

use std::sync::Arc;
use std::task::{Wake, Waker};

use super::host::Host;
use super::scheduler::Place;
use crate::sync::{AtomicU8, AtomicU32, Ordering};

/// The key of a task that has none yet.
const NO_KEY: u32 = u32::MAX;

/// The value of [`Node::queued`] while the task's key is in the ready queue.
const QUEUED: u8 = 1;

/// The waker of a task, and what else is known of it.
pub(crate) struct Node<H, T> {
    /// The group that the task belongs to.
    pub(crate) host: Arc<H>,

    /// Where the task is found: in the slab of the driver, or among the wakers of the scheduler.
    key: AtomicU32,

    /// [`QUEUED`] or 0. Always 0 on an executor that the user gave: it has a queue of its own.
    queued: AtomicU8,

    /// What the task is about.
    pub(crate) data: T,
}

impl<H: Host, T: Send + Sync + 'static> Node<H, T> {
    pub(crate) fn new(host: Arc<H>, data: T) -> Arc<Node<H, T>> {
        Arc::new(Node {
            host,
            key: AtomicU32::new(NO_KEY),
            queued: AtomicU8::new(0),
            data,
        })
    }

    /// Notes that the task is being polled: from here on a wake-up counts as a new one.
    ///
    /// Acquires what was done before the wake-up that this poll answers.
    pub(crate) fn begin_poll(&self) {
        if self.queued.load(Ordering::Relaxed) != 0 {
            self.queued.swap(0, Ordering::AcqRel);
        }
    }

    /// Wakes the task, whichever executor it is on.
    ///
    /// A task that has no key yet is about to be polled for the first time, and sees what was done
    /// before this call: the key is loaded after that was stored, and stored before that is loaded
    /// (`SeqCst` on all four).
    pub(crate) fn wake_task(&self) {
        let key = self.key.load(Ordering::SeqCst);
        let scheduler = self.host.scheduler();
        if key == NO_KEY {
            return;
        }
        if scheduler.is_in_place() && self.queued.swap(QUEUED, Ordering::AcqRel) == QUEUED {
            return;
        }
        scheduler.wake(key);
    }

    /// Returns true if this waker wakes this very task, so that nothing else has to.
    pub(crate) fn is_woken_by(self: &Arc<Self>, waker: &Waker) -> bool {
        match self.host.scheduler().place() {
            // A waker made of this node has the address of the node for data. Nothing else has, as
            // the node is alive. Should that ever change, this returns false, which costs a listener.
            Place::Here(_) => waker.data() == Arc::as_ptr(self).cast(),
            Place::Spawned(wakers) => wakers.is_woken_by(self.key.load(Ordering::Relaxed), waker),
        }
    }
}

impl<H: Host, T: Send + Sync + 'static> Wake for Node<H, T> {
    fn wake(self: Arc<Self>) {
        self.wake_task();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_task();
    }
}

/// What is told the key of a task.
pub trait Keyed: Send + Sync {
    fn set_key(&self, key: u32);
}

impl<H: Host, T: Send + Sync> Keyed for Node<H, T> {
    fn set_key(&self, key: u32) {
        self.key.store(key, Ordering::SeqCst);
    }
}
