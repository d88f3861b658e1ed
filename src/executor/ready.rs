//! The tasks in place that are to be polled, and who polls them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::task::Waker;

use atomic_waker::AtomicWaker;

use super::lock;

/// The tasks in place that are to be polled, and who polls them.
pub(crate) struct Ready {
    /// The keys of the tasks, in the order in which they were woken. The driver takes all of them
    /// at once, so that the lock is held for a push or a swap, and is next to never waited for.
    queue: Mutex<VecDeque<u32>>,

    /// Whoever awaits the group.
    driver: AtomicWaker,

    /// Whether the driver is polling or has been woken, and will look again before it sleeps.
    awake: AtomicBool,

    /// Whether every task is to be polled.
    sweep: AtomicBool,

    /// How many tasks the driver has.
    pub(super) tasks: AtomicUsize,
}

impl Ready {
    pub(super) fn new() -> Ready {
        Ready {
            queue: Mutex::new(VecDeque::new()),
            driver: AtomicWaker::new(),
            awake: AtomicBool::new(true),
            sweep: AtomicBool::new(false),
            tasks: AtomicUsize::new(0),
        }
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<u32>> {
        lock(&self.queue)
    }

    /// Has the task with this key polled.
    pub(super) fn push(&self, key: u32) {
        self.queue().push_back(key);
        self.wake_driver();
    }

    /// Has every task polled.
    pub(super) fn push_all(&self) {
        self.sweep.store(true, Ordering::SeqCst);
        self.wake_driver();
    }

    /// Takes what there is, and leaves `empty` in its place.
    pub(super) fn take(&self, empty: &mut VecDeque<u32>) {
        std::mem::swap(&mut *self.queue(), empty);
    }

    pub(super) fn take_sweep(&self) -> bool {
        self.sweep.load(Ordering::Relaxed) && self.sweep.swap(false, Ordering::AcqRel)
    }

    /// Notes who drives, and that it is awake.
    pub(super) fn register(&self, waker: &Waker) {
        self.driver.register(waker);
        self.awake.store(true, Ordering::SeqCst);
    }

    /// Wakes the driver, unless it is awake.
    fn wake_driver(&self) {
        if !self.awake.swap(true, Ordering::SeqCst) {
            self.driver.wake();
        }
    }

    /// Lets the driver sleep; false if something came in between, and it has to look again.
    ///
    /// Whoever brings work puts it down first and then swaps `awake`, as this does before it looks
    /// for work. Of two swaps one is the second: either that is this one, which acquires what the
    /// other put down, or it is the other, which finds the driver asleep and wakes it.
    pub(super) fn fall_asleep(&self) -> bool {
        self.awake.swap(false, Ordering::SeqCst);
        let idle = self.queue().is_empty() && !self.sweep.load(Ordering::SeqCst);
        idle || self.awake.swap(true, Ordering::SeqCst)
    }
}
