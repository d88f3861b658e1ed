//! Those that wait for the end of a service.

use std::collections::BTreeMap;
use std::task::Waker;

use crate::executor::panic::catch;
use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering, lock};

/// Those that wait for the end of a service. An end wakes those that wait for it, and no others; it
/// costs one load where nobody waits.
///
/// All is `SeqCst`, as is the change of the service's lifecycle before. One that waits and is not told
/// has set the flag after the load, and then sees that change.
pub(crate) struct Departures {
    /// By the index of the service.
    waiting: Mutex<BTreeMap<usize, Vec<Waker>>>,

    /// True once someone has waited.
    is_watched: AtomicBool,
}

impl Departures {
    pub(crate) fn new() -> Departures {
        Departures {
            waiting: Mutex::default(),
            is_watched: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Vec<Waker>>> {
        lock(&self.waiting)
    }

    /// Returns true once someone has waited.
    pub(super) fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::SeqCst)
    }

    /// Has a waker woken at the end of a service; what was before has to be checked after.
    pub(super) fn watch(&self, index: usize, waker: &Waker) {
        self.is_watched.store(true, Ordering::SeqCst);
        // Cloned before the lock is taken: a waker may run any code.
        let waker = waker.clone();
        let mut waiting = self.lock();
        let wakers = waiting.entry(index).or_default();
        let is_known = wakers.iter().any(|known| known.will_wake(&waker));
        if is_known {
            drop(waiting);
        } else {
            wakers.push(waker);
        }
    }

    /// Wakes those that wait for the end of a service.
    pub(super) fn announce(&self, index: usize) {
        if self.is_watched() {
            let wakers = self.lock().remove(&index);
            wake(wakers.into_iter().flatten());
        }
    }

    /// Wakes all that wait: the group has ended.
    pub(super) fn announce_all(&self) {
        if self.is_watched() {
            let waiting = std::mem::take(&mut *self.lock());
            wake(waiting.into_values().flatten());
        }
    }
}

fn wake(wakers: impl Iterator<Item = Waker>) {
    for waker in wakers {
        let _ = catch(|| waker.wake());
    }
}
