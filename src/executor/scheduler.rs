//! The side of an executor that wakes tasks. It owns none of them.

use std::sync::Arc;
use std::task::Waker;

use slab::Slab;

use super::panic::catch;
use super::ready_queue::{ReadyQueue, Turn};
use crate::sync::{Mutex, OnceLock, lock};
use crate::time::activity::Activity;

/// The side of an executor that wakes tasks. It owns none of them.
pub(crate) enum Scheduler {
    /// In place: the tasks that are to be polled.
    InPlace {
        ready: Arc<ReadyQueue>,

        /// Set if the tasks were moved to an executor before their start.
        moved: OnceLock<Arc<Wakers>>,
    },

    /// On an executor that the user gave: the wakers of its tasks.
    Spawned(Arc<Wakers>),
}

/// Where the tasks are that are to be woken.
pub(super) enum Place<'s> {
    Here(&'s ReadyQueue),
    Spawned(&'s Arc<Wakers>),
}

impl Scheduler {
    pub(super) fn in_place(ready: &Arc<ReadyQueue>) -> Scheduler {
        Scheduler::InPlace {
            ready: Arc::clone(ready),
            moved: OnceLock::new(),
        }
    }

    /// Returns where the tasks are.
    pub(super) fn place(&self) -> Place<'_> {
        match self {
            Scheduler::InPlace { ready, moved } => match moved.get() {
                None => Place::Here(ready),
                Some(wakers) => Place::Spawned(wakers),
            },
            Scheduler::Spawned(wakers) => Place::Spawned(wakers),
        }
    }

    /// Has the tasks woken on an executor from here on; returns their wakers.
    ///
    /// What was woken in place before is not woken again. None of it has been polled, and so sees
    /// what was done before at its first poll: each is given a new key after this, and a wake that
    /// loads the old key comes before that in the order of `Node::wake_task`.
    pub(super) fn move_to_executor(&self) -> &Arc<Wakers> {
        match self {
            Scheduler::InPlace { moved, .. } => moved.get_or_init(|| Arc::new(Wakers::new())),
            Scheduler::Spawned(wakers) => wakers,
        }
    }

    pub(crate) fn is_in_place(&self) -> bool {
        matches!(self.place(), Place::Here(_))
    }

    /// Counts the tasks from here on that are busy. In place there is nothing to do: their driver
    /// is counted, which is the task that awaits the group.
    pub(crate) fn count(&self, activity: &Activity) {
        if let Place::Spawned(wakers) = self.place() {
            let _ = wakers.activity.set(activity.clone());
        }
    }

    /// Wakes the task with this key.
    pub(super) fn wake(&self, key: u32) {
        match self.place() {
            Place::Here(ready) => ready.push(Turn::Task(key)),
            Place::Spawned(wakers) => wakers.wake(key),
        }
    }

    /// Returns true if waking `n` tasks costs more than polling all there are; in place only.
    pub(crate) fn is_most(&self, n: usize) -> bool {
        match self.place() {
            Place::Here(ready) => ready.is_most(n),
            Place::Spawned(_) => false,
        }
    }

    /// Wakes every task.
    pub(crate) fn wake_all(&self) {
        match self.place() {
            Place::Here(ready) => ready.push_all(),
            Place::Spawned(wakers) => wakers.wake_all(),
        }
    }
}

/// The wakers of the tasks on an executor that the user gave.
pub(crate) struct Wakers {
    /// By the key of the task; `None` until the task has been polled.
    wakers: Mutex<Slab<Option<Waker>>>,

    /// Counts the tasks that are busy, if the group goes by a clock that is moved by hand.
    activity: OnceLock<Activity>,
}

impl Wakers {
    pub(super) fn new() -> Wakers {
        Wakers {
            wakers: Mutex::new(Slab::new()),
            activity: OnceLock::new(),
        }
    }

    pub(super) fn activity(&self) -> Option<&Activity> {
        self.activity.get()
    }

    /// Makes room for the waker of a new task; returns the key of the task.
    pub(super) fn insert(&self) -> u32 {
        // Past four thousand million tasks the memory is gone.
        lock(&self.wakers).insert(None) as u32
    }

    pub(super) fn set(&self, key: u32, waker: &Waker) {
        let waker = waker.clone();
        let old = lock(&self.wakers)
            .get_mut(key as usize)
            .and_then(|slot| slot.replace(waker));
        // Dropped outside the lock: the drop of a waker may drop a task, and that one locks again.
        drop(old);
    }

    pub(super) fn remove(&self, key: u32) {
        let old = lock(&self.wakers).try_remove(key as usize);
        // Dropped outside the lock, as above.
        drop(old);
    }

    /// Returns true if the task with this key was last polled with this waker.
    pub(super) fn is_woken_by(&self, key: u32, waker: &Waker) -> bool {
        lock(&self.wakers)
            .get(key as usize)
            .and_then(Option::as_ref)
            .is_some_and(|own| own.will_wake(waker))
    }

    fn wake(&self, key: u32) {
        // Cloned out: a waker may run any code, which is not to run under this lock.
        let waker = lock(&self.wakers).get(key as usize).and_then(Clone::clone);
        if let Some(waker) = waker {
            wake(waker);
        }
    }

    fn wake_all(&self) {
        let wakers: Vec<_> = lock(&self.wakers)
            .iter()
            .filter_map(|(_, waker)| waker.clone())
            .collect();
        wakers.into_iter().for_each(wake);
    }
}

/// Wakes a task. A panic of the user's executor ends here: the others are to be woken too.
pub(super) fn wake(waker: Waker) {
    let _ = catch(|| waker.wake());
}
