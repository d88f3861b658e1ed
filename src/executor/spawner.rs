//! The side of an executor that takes new tasks.

use std::collections::VecDeque;
use std::sync::Arc;

use super::host::Host;
use super::job::BoxedJob;
use super::node::{Keyed, Node};
use super::panic::catch;
use super::ready_queue::{ReadyQueue, Turn};
use super::scheduler::{Scheduler, Wakers};
use super::slot::Slot;
use super::task::Task;
use crate::sync::{Mutex, lock};

/// The side of an executor that takes new tasks.
pub(crate) enum Spawner<'a> {
    InPlace(Arrivals<'a>),
    Spawned(SpawnFn<'a>),
}

/// The function that the user gave.
pub(crate) struct SpawnFn<'a> {
    spawn: Box<dyn Fn(Task<'a>) + Send + Sync + 'a>,
    pub(super) wakers: Arc<Wakers>,
}

/// In place: the tasks that wait for the driver.
pub(crate) struct Arrivals<'a> {
    /// In order; `None` once the group has ended.
    tasks: Mutex<Option<VecDeque<Arrival<'a>>>>,

    /// Where the driver is told of them.
    pub(super) ready: Arc<ReadyQueue>,
}

/// A task on its way to the driver.
pub(super) struct Arrival<'a> {
    pub(super) node: Arc<dyn Keyed>,
    pub(super) slot: Slot<'a>,
}

impl<'a> Spawner<'a> {
    pub(crate) fn in_place() -> Spawner<'a> {
        Spawner::InPlace(Arrivals {
            tasks: Mutex::new(Some(VecDeque::new())),
            ready: Arc::new(ReadyQueue::new()),
        })
    }

    pub(crate) fn spawned(spawn: impl Fn(Task<'a>) + Send + Sync + 'a) -> Spawner<'a> {
        Spawner::Spawned(SpawnFn {
            spawn: Box::new(spawn),
            wakers: Arc::new(Wakers::new()),
        })
    }

    /// Returns the tasks that wait for the driver; none on an executor that the user gave.
    pub(super) fn arrivals(&self) -> Option<&Arrivals<'a>> {
        match self {
            Spawner::InPlace(arrivals) => Some(arrivals),
            Spawner::Spawned(_) => None,
        }
    }

    /// Returns the function that the user gave; none in place.
    pub(super) fn spawn_fn(&self) -> Option<&SpawnFn<'a>> {
        match self {
            Spawner::InPlace(_) => None,
            Spawner::Spawned(spawn) => Some(spawn),
        }
    }

    /// Returns the side that wakes the tasks.
    pub(crate) fn scheduler(&self) -> Scheduler {
        match self {
            Spawner::InPlace(arrivals) => Scheduler::InPlace(Arc::clone(&arrivals.ready)),
            Spawner::Spawned(spawn) => Scheduler::Spawned(Arc::clone(&spawn.wakers)),
        }
    }

    /// Starts a task. One that comes after the end of the group is dropped.
    pub(crate) fn spawn<H: Host, T>(&self, node: Arc<Node<H, T>>, job: BoxedJob<'a>)
    where
        T: Send + Sync + 'static,
    {
        match self {
            Spawner::InPlace(arrivals) => arrivals.push(node, job),
            Spawner::Spawned(spawn) => spawn.call(Task::new(&spawn.wakers, &*node, job)),
        }
    }
}

impl<'a> SpawnFn<'a> {
    /// Spawns a task. A panic of the function drops the task, which fails its service.
    pub(super) fn call(&self, mut task: Task<'a>) {
        task.count();
        let _ = catch(|| (self.spawn)(task));
    }
}

impl<'a> Arrivals<'a> {
    fn push<H: Host, T>(&self, node: Arc<Node<H, T>>, job: BoxedJob<'a>)
    where
        T: Send + Sync + 'static,
    {
        let slot = Slot::new(&node, job);
        let mut arrival = Some(Arrival { node, slot });
        if let Some(tasks) = &mut *lock(&self.tasks) {
            tasks.extend(arrival.take());
        }
        // What was not taken is dropped here, and not under the lock.
        if arrival.is_none() {
            self.ready.push(Turn::Arrival);
        }
    }

    /// Takes the task that arrived first.
    pub(super) fn pop(&self) -> Option<Arrival<'a>> {
        lock(&self.tasks).as_mut().and_then(VecDeque::pop_front)
    }

    /// Takes all tasks, and no others from here on.
    pub(super) fn close(&self) -> Option<VecDeque<Arrival<'a>>> {
        lock(&self.tasks).take()
    }
}
