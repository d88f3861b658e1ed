//! The waker of a task, which is at the same time the record of what the task is about.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::task::{Wake, Waker};

use super::{Dispatch, NO_KEY, lock};
use crate::hub::Hub;

/// The bit of [`Node::state`] that says that the task's key is in the queue.
const QUEUED: u8 = 1;

/// The waker of a task, and what else is known of it.
pub(crate) struct Node<T> {
    pub(crate) hub: Arc<Hub>,

    /// Where the task is found: in the driver's slab, or among the wakers of the dispatch.
    key: AtomicU32,

    /// [`QUEUED`] or 0; always 0 on a given executor, which has a queue of its own.
    state: AtomicU8,

    /// What the task is about.
    pub(crate) data: T,
}

impl<T: Send + Sync + 'static> Node<T> {
    pub(crate) fn new(hub: Arc<Hub>, data: T) -> Arc<Node<T>> {
        Arc::new(Node {
            hub,
            key: AtomicU32::new(NO_KEY),
            state: AtomicU8::new(0),
            data,
        })
    }

    /// Notes that the task is being polled: from here on a wake-up counts as a new one.
    ///
    /// Acquires what was done before the wake-up that this poll answers.
    pub(crate) fn begin_poll(&self) {
        if self.state.load(Ordering::Relaxed) != 0 {
            self.state.swap(0, Ordering::AcqRel);
        }
    }

    /// Wakes the task, whichever executor it is on.
    ///
    /// A task that has no key yet is about to be polled for the first time, and sees what was done
    /// before this call: the key is loaded after that was stored, and stored before that is loaded
    /// (`SeqCst` on all four).
    pub(crate) fn wake_task(&self) {
        let key = self.key.load(Ordering::SeqCst);
        let here = matches!(self.hub.dispatch, Dispatch::Here(_));
        if key == NO_KEY || (here && self.state.swap(QUEUED, Ordering::AcqRel) == QUEUED) {
            return;
        }
        self.hub.dispatch.wake(key);
    }

    /// Whether this waker wakes this very task, so that being woken needs no further arrangement.
    pub(crate) fn is_woken_by(self: &Arc<Self>, waker: &Waker) -> bool {
        match &self.hub.dispatch {
            // A waker made of this node has its address for data. Nothing else has, as the node
            // is alive. Should that ever change, the answer is no, which costs a listener.
            Dispatch::Here(_) => waker.data() == Arc::as_ptr(self).cast(),
            Dispatch::Given(wakers) => lock(wakers)
                .get(self.key.load(Ordering::Relaxed) as usize)
                .and_then(Option::as_ref)
                .is_some_and(|own| own.will_wake(waker)),
        }
    }
}

impl<T: Send + Sync + 'static> Wake for Node<T> {
    fn wake(self: Arc<Self>) {
        self.wake_task();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_task();
    }
}

/// Somebody who is told the key of a task.
pub(crate) trait Keyed: Send + Sync {
    fn set_key(&self, key: usize);
}

impl<T: Send + Sync> Keyed for Node<T> {
    fn set_key(&self, key: usize) {
        // Past four thousand million tasks the memory is gone.
        self.key.store(key as u32, Ordering::SeqCst);
    }
}
