//! Where the tasks of a group run: in place, driven by whoever awaits the group, or on an
//! executor that was given.
//!
//! In place there is no other executor underneath: a record of a service *is* its waker, and
//! waking it puts its key into a queue that the awaiting task empties. A general executor would
//! add an allocation for a task header and one for a listener to each service, and a lock and a
//! slab entry for their bookkeeping, which is more than all that the group itself needs.

mod driver;
mod node;
mod task;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use atomic_waker::AtomicWaker;
use concurrent_queue::ConcurrentQueue;
use slab::Slab;

pub(crate) use self::driver::Driver;
use self::driver::{Arrival, Slot};
pub(crate) use self::node::Node;
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

/// The tasks in place that are to be polled, and who polls them.
pub(crate) struct Ready {
    /// The keys of the tasks.
    queue: ConcurrentQueue<usize>,

    /// Whoever awaits the group.
    driver: AtomicWaker,

    /// Whether the driver is polling or has been woken, and will look again before it sleeps.
    awake: AtomicBool,

    /// Whether every task is to be polled.
    sweep: AtomicBool,

    /// How many tasks the driver has.
    tasks: AtomicUsize,
}

impl Ready {
    fn new() -> Ready {
        Ready {
            queue: ConcurrentQueue::unbounded(),
            driver: AtomicWaker::new(),
            awake: AtomicBool::new(true),
            sweep: AtomicBool::new(false),
            tasks: AtomicUsize::new(0),
        }
    }

    /// Notes who drives, and that it is awake.
    fn register(&self, waker: &Waker) {
        self.driver.register(waker);
        self.awake.store(true, Ordering::SeqCst);
    }

    /// Wakes the driver, unless it is awake.
    fn wake_driver(&self) {
        if !self.awake.swap(true, Ordering::SeqCst) {
            self.driver.wake();
        }
    }

    fn take_sweep(&self) -> bool {
        self.sweep.load(Ordering::Relaxed) && self.sweep.swap(false, Ordering::AcqRel)
    }

    /// Lets the driver sleep; false if something came in between, and it has to look again.
    ///
    /// Whoever brings work puts it down first and then swaps `awake`, as this does before it looks
    /// for work. Of two swaps one is the second: either that is this one, which acquires what the
    /// other put down, or it is the other, which finds the driver asleep and wakes it.
    fn fall_asleep(&self, no_arrivals: impl Fn() -> bool) -> bool {
        self.awake.swap(false, Ordering::SeqCst);
        let idle = self.queue.is_empty() && no_arrivals() && !self.sweep.load(Ordering::SeqCst);
        idle || self.awake.swap(true, Ordering::SeqCst)
    }
}

/// The side of an executor that wakes tasks; owns none of them.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each group, in its hub"
)]
pub(crate) enum Dispatch {
    /// In place.
    Here(Ready),

    /// On a given executor: the waker of each task, once it has been polled.
    Given(Mutex<Slab<Option<Waker>>>),
}

impl Dispatch {
    /// Wakes the task with this key.
    fn wake(&self, key: usize) {
        match self {
            Dispatch::Here(ready) => {
                // Never full and never closed.
                let _ = ready.queue.push(key);
                ready.wake_driver();
            }
            Dispatch::Given(wakers) => {
                // Cloned out: a waker may do anything, and not under this lock.
                let waker = lock(wakers).get(key).and_then(Clone::clone);
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
            Dispatch::Here(ready) => {
                ready.sweep.store(true, Ordering::SeqCst);
                ready.wake_driver();
            }
            Dispatch::Given(wakers) => {
                let wakers: Vec<_> = lock(wakers).iter().filter_map(|(_, w)| w.clone()).collect();
                wakers.into_iter().for_each(Waker::wake);
            }
        }
    }
}

fn lock(wakers: &Mutex<Slab<Option<Waker>>>) -> MutexGuard<'_, Slab<Option<Waker>>> {
    wakers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The side of an executor that takes new tasks.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each group, on the heap"
)]
pub(crate) enum Place<'a> {
    /// In place: they wait here for the driver. Closed with the group.
    Here(ConcurrentQueue<Arrival<'a>>),

    /// On a given executor.
    Given(Box<dyn Fn(Task<'a>) + Send + Sync + 'a>),
}

impl<'a> Place<'a> {
    pub(crate) fn here() -> Place<'a> {
        Place::Here(ConcurrentQueue::unbounded())
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
                if let (Ok(()), Dispatch::Here(ready)) =
                    (arrivals.push(Arrival { node, slot }), &hub.dispatch)
                {
                    ready.wake_driver();
                }
            }
            Place::Given(spawn) => spawn(Task::new(&*node, future)),
        }
    }
}
