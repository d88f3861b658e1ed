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
    /// By the index of the service and the number of the wait.
    waiting: Mutex<BTreeMap<(usize, u64), Waker>>,

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

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(usize, u64), Waker>> {
        lock(&self.waiting)
    }

    /// Returns true once someone has waited.
    pub(super) fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::SeqCst)
    }

    /// Has a waker woken at the end of a service; what was before has to be checked after.
    pub(super) fn watch(&self, index: usize, number: u64, waker: &Waker) {
        self.is_watched.store(true, Ordering::SeqCst);
        // Cloned before the lock is taken, and the old one dropped after: a waker may run any code.
        let waker = waker.clone();
        let old = self.lock().insert((index, number), waker);
        drop(old);
    }

    /// Forgets one that waited.
    pub(super) fn forget(&self, index: usize, number: u64) {
        let old = self.lock().remove(&(index, number));
        drop(old);
    }

    /// Wakes those that wait for the end of a service.
    pub(super) fn announce(&self, index: usize) {
        if self.is_watched() {
            while let Some(waker) = self.take_first(index) {
                wake(std::iter::once(waker));
            }
        }
    }

    /// Takes the first of those that wait for the end of a service.
    fn take_first(&self, index: usize) -> Option<Waker> {
        let mut waiting = self.lock();
        let of_service = (index, 0)..=(index, u64::MAX);
        let first = waiting.range(of_service).next().map(|(key, _)| *key)?;
        waiting.remove(&first)
    }

    /// Wakes all that wait: the group has ended.
    pub(super) fn announce_all(&self) {
        if self.is_watched() {
            let waiting = std::mem::take(&mut *self.lock());
            wake(waiting.into_values());
        }
    }
}

fn wake(wakers: impl Iterator<Item = Waker>) {
    for waker in wakers {
        let _ = catch(|| waker.wake());
    }
}
