//! What a socket wakes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

/// Wakes the task of a connection, and notes that it was the socket that did so. Beside it, wakes a
/// reader in another task, if one waits.
#[derive(Debug)]
pub(in crate::http) struct WatchWaker {
    was_woken: AtomicBool,
    task: Waker,
    reader: Mutex<Option<Waker>>,
}

impl WatchWaker {
    /// Makes a waker of the task of a connection.
    pub(in crate::http) fn new(task: &Waker) -> Self {
        Self {
            was_woken: AtomicBool::new(false),
            task: task.clone(),
            reader: Mutex::new(None),
        }
    }

    /// Returns true if it wakes this task.
    pub(in crate::http) fn is_of(&self, task: &Waker) -> bool {
        self.task.will_wake(task)
    }

    /// Returns true if the socket has woken the task.
    pub(in crate::http) fn was_woken(&self) -> bool {
        self.was_woken.load(Ordering::Acquire)
    }

    /// Forgets that. Call it before the waker is given away. One that is still with the reactor may note a
    /// wake of before this: that costs a read in vain.
    pub(in crate::http) fn forget_wakes(&self) {
        self.was_woken.store(false, Ordering::Release);
    }

    /// Sets the reader that waits, or none. Returns the one that did.
    pub(in crate::http) fn set_reader(&self, reader: Option<Waker>) -> Option<Waker> {
        // The lock is held for single moves only, so a panic leaves it whole.
        let mut slot = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut slot, reader)
    }
}

impl Wake for WatchWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Before the reader is woken: its next read forgets it.
        self.was_woken.store(true, Ordering::Release);
        let reader = self.set_reader(None);
        self.task.wake_by_ref();
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}
