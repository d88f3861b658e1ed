//! The tasks in place that are to be polled, and the task that polls them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Wake, Waker};

use super::panic::catch;
use crate::sync::{AtomicBool, AtomicUsize, AtomicWaker, Mutex, MutexGuard, Ordering, lock};

/// Whose turn it is to be polled.
#[derive(Clone, Copy, Debug)]
pub(super) enum Turn {
    /// The supervisor, which is polled among the tasks but is not one of them.
    Supervisor,

    /// The task that arrived first and has no key yet.
    Arrival,

    /// The task with this key.
    Task(u32),
}

/// The tasks in place that are to be polled, and the task that polls them.
///
/// It is at the same time the waker of the supervisor.
pub(crate) struct ReadyQueue {
    /// In the order in which they were woken. The driver takes all of them at once, so that the
    /// lock is held for a push or a swap and hardly ever waited for.
    turns: Mutex<VecDeque<Turn>>,

    /// Wakes the task that awaits the group.
    driver: AtomicWaker,

    /// True while the driver is polling, or has been woken and will look before it sleeps.
    is_awake: AtomicBool,

    /// True if every task is to be polled.
    is_sweep: AtomicBool,

    /// True while the supervisor has a turn in the queue.
    is_supervisor_queued: AtomicBool,

    /// How many tasks the driver has, roughly.
    tasks: AtomicUsize,
}

impl ReadyQueue {
    pub(super) fn new() -> ReadyQueue {
        ReadyQueue {
            turns: Mutex::new(VecDeque::new()),
            driver: AtomicWaker::new(),
            is_awake: AtomicBool::new(true),
            is_sweep: AtomicBool::new(false),
            is_supervisor_queued: AtomicBool::new(false),
            tasks: AtomicUsize::new(0),
        }
    }

    fn turns(&self) -> MutexGuard<'_, VecDeque<Turn>> {
        lock(&self.turns)
    }

    pub(super) fn push(&self, turn: Turn) {
        self.turns().push_back(turn);
        self.wake_driver();
    }

    /// Has every task polled.
    pub(super) fn push_all(&self) {
        self.is_sweep.store(true, Ordering::SeqCst);
        self.wake_driver();
    }

    /// Takes all turns there are, and leaves `empty` in their place.
    pub(super) fn take(&self, empty: &mut VecDeque<Turn>) {
        std::mem::swap(&mut *self.turns(), empty);
    }

    /// Returns true if every task is to be polled, once.
    pub(super) fn take_sweep(&self) -> bool {
        self.is_sweep.load(Ordering::Relaxed) && self.is_sweep.swap(false, Ordering::AcqRel)
    }

    pub(super) fn set_tasks(&self, tasks: usize) {
        self.tasks.store(tasks, Ordering::Relaxed);
    }

    /// Returns true if `n` are more than half of the tasks.
    pub(super) fn is_most(&self, n: usize) -> bool {
        n > self.tasks.load(Ordering::Relaxed) / 2
    }

    /// Notes that the supervisor is being polled: from here on a wake-up counts as a new one.
    pub(super) fn begin_supervisor(&self) {
        self.is_supervisor_queued.swap(false, Ordering::AcqRel);
    }

    /// Notes the waker of the driver, and that it is awake.
    pub(super) fn register(&self, waker: &Waker) {
        self.driver.register(waker);
        self.is_awake.store(true, Ordering::SeqCst);
    }

    /// Forgets who drives: nothing does any more.
    pub(super) fn close(&self) {
        drop(self.driver.take());
    }

    fn wake_driver(&self) {
        if !self.is_awake.swap(true, Ordering::SeqCst) {
            // It is that of whoever awaits the group, and may run any code.
            let _ = catch(|| self.driver.wake());
        }
    }

    /// Lets the driver sleep; false if there is something to do, and it has to look again.
    ///
    /// What brings work puts it down first and then swaps `is_awake`, as this does before it
    /// looks for work. Of two swaps one is the second. If it is this one, it acquires what the
    /// other put down. If it is the other, that finds the driver asleep and wakes it.
    pub(super) fn fall_asleep(&self) -> bool {
        self.is_awake.swap(false, Ordering::SeqCst);
        let is_idle = self.turns().is_empty() && !self.is_sweep.load(Ordering::SeqCst);
        is_idle || self.is_awake.swap(true, Ordering::SeqCst)
    }
}

/// Wakes the supervisor.
impl Wake for ReadyQueue {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_supervisor_queued.swap(true, Ordering::AcqRel) {
            self.push(Turn::Supervisor);
        }
    }
}
