//! Where the tasks of a group run: in place, driven by whoever awaits the group, or on an
//! executor that was given.
//!
//! In place there is no other executor underneath: a record of a service *is* its waker, and
//! waking it puts its key into a queue that the awaiting task empties. Queue and arrivals are lists
//! under locks, not lock-free ones, which take a kilobyte each. A general executor would
//! add an allocation for a task header and one for a listener to each service, and a lock and a
//! slab entry for their bookkeeping, which is more than all that the group itself needs.

mod driver;
mod node;
mod ready;
mod task;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use slab::Slab;

pub(crate) use self::driver::Driver;
use self::driver::{Arrival, Slot};
pub(crate) use self::node::Node;
use self::ready::Ready;
pub use self::task::Task;

/// What a task does.
pub(crate) trait Job: Future<Output = ()> + Send {
    /// The greater this is, the sooner the job is dropped when all are.
    fn depth(&self) -> u64;
}

/// A job that is all a task does.
pub(crate) type Boxed<'a> = Pin<Box<dyn Job + 'a>>;

/// The key of a task that has none yet.
const NO_KEY: u32 = u32::MAX;

/// The key of the supervisor, which is polled among the tasks but is not one of them.
const SUPERVISOR: u32 = NO_KEY - 1;

/// What stands in the queue for a task that has arrived and has no key yet.
const ARRIVAL: u32 = NO_KEY - 2;

/// The side of an executor that wakes tasks; owns none of them.
pub(crate) enum Dispatch {
    /// In place.
    Here(Ready),

    /// On a given executor: the waker of each task, once it has been polled.
    Given(Mutex<Slab<Option<Waker>>>),
}

impl Dispatch {
    /// Wakes the task with this key.
    fn wake(&self, key: u32) {
        match self {
            Dispatch::Here(ready) => ready.push(key),
            Dispatch::Given(wakers) => {
                // Cloned out: a waker may do anything, and not under this lock.
                let waker = lock(wakers).get(key as usize).and_then(Clone::clone);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
        }
    }

    /// Whether waking so many tasks costs more than polling all there are. In place only.
    pub(crate) fn is_most(&self, tasks: usize) -> bool {
        match self {
            Dispatch::Here(ready) => tasks > ready.tasks.load(Ordering::Relaxed) / 2,
            Dispatch::Given(_) => false,
        }
    }

    /// Wakes every task.
    pub(crate) fn wake_all(&self) {
        match self {
            Dispatch::Here(ready) => ready.push_all(),
            Dispatch::Given(wakers) => {
                let wakers: Vec<_> = lock(wakers).iter().filter_map(|(_, w)| w.clone()).collect();
                wakers.into_iter().for_each(Waker::wake);
            }
        }
    }
}

/// Locks, also after a panic: what is under these locks is whole between any two calls.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The side of an executor that takes new tasks.
pub(crate) enum Place<'a> {
    /// In place: they wait here for the driver, in order; `None` once the group has ended.
    Here(Mutex<Option<VecDeque<Arrival<'a>>>>),

    /// On a given executor.
    Given(Box<dyn Fn(Task<'a>) + Send + Sync + 'a>),
}

impl<'a> Place<'a> {
    pub(crate) fn here() -> Place<'a> {
        Place::Here(Mutex::new(Some(VecDeque::new())))
    }

    pub(crate) fn dispatch(&self) -> Dispatch {
        match self {
            Place::Here(_) => Dispatch::Here(Ready::new()),
            Place::Given(_) => Dispatch::Given(Mutex::new(Slab::new())),
        }
    }

    /// Starts a task. One that comes after the end of the group is dropped.
    pub(crate) fn spawn<T: Send + Sync + 'static>(&self, node: Arc<Node<T>>, future: Boxed<'a>) {
        match self {
            Place::Here(arrivals) => {
                let hub = Arc::clone(&node.hub);
                let slot = Slot::new(&node, future);
                let mut arrival = Some(Arrival { node, slot });
                if let Some(arrivals) = &mut *lock(arrivals) {
                    arrivals.extend(arrival.take());
                }
                // What is left is dropped here, and not under the lock.
                if let (None, Dispatch::Here(ready)) = (arrival, &hub.dispatch) {
                    ready.push(ARRIVAL);
                }
            }
            Place::Given(spawn) => spawn(Task::new(&*node, future)),
        }
    }
}
