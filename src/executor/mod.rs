//! Where the tasks of a group run: in place, polled by whoever awaits the group, or on an executor
//! that the user gave.
//!
//! In place there is no executor underneath. The record of a service *is* its waker, and waking it
//! puts its key into a queue that the awaiting task empties. The queue and the arrivals are lists
//! under locks: lock-free ones take a kilobyte each. A general executor would add an allocation
//! for a task header and one for a listener to each service, and a lock and a slab entry for their
//! bookkeeping, which is more than all that the group itself needs.
//!
//! This module knows no group. What it needs of one is in [`Host`].

pub(crate) mod driver;
mod in_place;
pub(crate) mod node;
pub(crate) mod panic;
mod ready_queue;
pub(crate) mod scheduler;
mod spawned;
pub(crate) mod spawner;
pub(crate) mod task;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::scheduler::Scheduler;

/// What an executor needs to know of the group whose tasks it runs.
pub(crate) trait Host: Send + Sync + 'static {
    /// Returns what wakes the tasks.
    fn scheduler(&self) -> &Scheduler;

    /// Returns true if tasks that have not started are not to start.
    fn is_stopped(&self) -> bool;
}

/// What a task does.
pub(crate) trait Job: Future<Output = ()> + Send {
    /// Returns when the job is dropped if all are: those with the greatest rank first.
    fn rank(&self) -> u64;
}

/// A job that is all a task does.
pub(crate) type BoxedJob<'a> = Pin<Box<dyn Job + 'a>>;

/// The key of a task that has none yet.
const NO_KEY: u32 = u32::MAX;

/// Locks, also after a panic: what is under the locks of this module is whole between two calls.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
