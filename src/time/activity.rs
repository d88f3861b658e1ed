//! A count of what is busy on a clock that is moved by hand.

use std::sync::Arc;

use crate::sync::{AtomicU64, Event, EventListener, Ordering};

/// One rest: the count of rests is in the upper half of the counter.
const REST: u64 = 1 << 32;

/// The half of the counter that has what is busy.
const BUSY: u64 = REST - 1;

/// Counts the tasks that are busy, of all groups that go by one clock. Clones are the same count.
///
/// A task is busy from its spawn or a wake until the poll that follows has returned.
#[derive(Clone)]
pub(crate) struct Activity {
    shared: Arc<ActivityState>,
}

struct ActivityState {
    /// How many tasks are busy, and above that how often they all came to rest. In one atomic: who
    /// sees that nothing is busy sees the rest that has begun.
    counter: AtomicU64,

    /// Notified at each rest.
    rests: Event,
}

impl Activity {
    pub(super) fn new() -> Activity {
        Activity {
            shared: Arc::new(ActivityState {
                counter: AtomicU64::new(0),
                rests: Event::new(),
            }),
        }
    }

    /// Counts a task in.
    pub(crate) fn enter(&self) {
        self.shared.counter.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts a task out. Not to be called under a lock: the last one wakes those that wait.
    pub(crate) fn leave(&self) {
        let left = |counter: u64| {
            let is_last = counter & BUSY == 1;
            Some(counter.wrapping_add(if is_last { REST } else { 0 }) - 1)
        };
        let order = Ordering::SeqCst;
        let before = self.shared.counter.fetch_update(order, order, left);
        if before.is_ok_and(|before| before & BUSY == 1) {
            self.shared.rests.notify(usize::MAX);
        }
    }

    /// Returns how often all tasks have come to rest, modulo 2³².
    pub(super) fn rests(&self) -> u64 {
        self.shared.counter.load(Ordering::SeqCst) / REST
    }

    /// Returns true if nothing is busy, or nothing was at some time after this many rests.
    pub(super) fn has_rested_since(&self, rests: u64) -> bool {
        let counter = self.shared.counter.load(Ordering::SeqCst);
        counter & BUSY == 0 || counter / REST != rests
    }

    /// Listens for the next rest; what was before has to be checked after.
    pub(super) fn listen(&self) -> EventListener {
        self.shared.rests.listen()
    }
}
