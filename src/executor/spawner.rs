//! The side of an executor that takes new tasks.

use std::collections::VecDeque;
use std::sync::Arc;

use super::host::Host;
use super::kind::{BoxedJob, Local, Shared, TaskKind};
use super::node::Node;
use super::panic::catch;
use super::ready_queue::{ReadyQueue, Turn};
use super::scheduler::Wakers;
use super::slot::Slot;
use super::task::Task;
use crate::sync::{Mutex, lock};

/// The side of an executor that takes new tasks.
pub(crate) enum Spawner<'a, K: TaskKind = Shared> {
    /// They wait for the driver: in place, and where only its thread may spawn.
    Queued(Arrivals<'a, K>),

    /// They are spawned at once.
    Spawned(SpawnFn<'a, K>),
}

/// The function that the user gave.
pub(crate) struct SpawnFn<'a, K: TaskKind> {
    spawn: Box<K::Spawn<'a, Task<'a, K>>>,
    pub(super) wakers: Arc<Wakers>,
}

/// The tasks that wait for the driver.
pub(crate) struct Arrivals<'a, K: TaskKind> {
    /// In order; `None` once the group has ended.
    tasks: Mutex<Option<VecDeque<Slot<'a, K>>>>,

    /// Where the driver is told of them.
    pub(super) ready: Arc<ReadyQueue>,
}

impl<'a, K: TaskKind> Spawner<'a, K> {
    /// Makes one whose tasks wait for the driver of this ready queue.
    pub(super) fn queued(ready: &Arc<ReadyQueue>) -> Spawner<'a, K> {
        Spawner::Queued(Arrivals {
            tasks: Mutex::new(Some(VecDeque::new())),
            ready: Arc::clone(ready),
        })
    }

    /// Returns the tasks that wait for the driver, if they do.
    pub(super) fn arrivals(&self) -> Option<&Arrivals<'a, K>> {
        match self {
            Spawner::Queued(arrivals) => Some(arrivals),
            Spawner::Spawned(_) => None,
        }
    }

    /// Returns the function that the user gave, if there is one.
    pub(super) fn spawn_fn(&self) -> Option<&SpawnFn<'a, K>> {
        match self {
            Spawner::Queued(_) => None,
            Spawner::Spawned(spawn) => Some(spawn),
        }
    }

    /// Starts a task. One that comes after the end of the group is dropped.
    pub(crate) fn spawn<H: Host, T>(&self, node: Arc<Node<H, T>>, job: BoxedJob<'a, K>)
    where
        T: Send + Sync + 'static,
    {
        match self {
            Spawner::Queued(arrivals) => arrivals.push(Slot::new(&node, job)),
            Spawner::Spawned(spawn) => spawn.call(Task::new(&spawn.wakers, job)),
        }
    }
}

impl<'a> SpawnFn<'a, Shared> {
    pub(super) fn shared<R>(spawn: impl Fn(Task<'a>) -> R + Send + Sync + 'a) -> Self
    where
        R: Send + 'static,
    {
        SpawnFn {
            spawn: Box::new(move |task: Task<'a>| task.spawn(&spawn, |kept| kept)),
            wakers: Arc::new(Wakers::new()),
        }
    }
}

impl<'a> SpawnFn<'a, Local> {
    pub(super) fn local<R: 'static>(spawn: impl Fn(Task<'a, Local>) -> R + 'a) -> Self {
        SpawnFn {
            spawn: Box::new(move |task: Task<'a, Local>| task.spawn(&spawn, |kept| kept)),
            wakers: Arc::new(Wakers::new()),
        }
    }
}

impl<'a, K: TaskKind> SpawnFn<'a, K> {
    /// Spawns a task. A panic of the function drops the task, which fails its service.
    pub(super) fn call(&self, mut task: Task<'a, K>) {
        task.count();
        let _ = catch(|| (self.spawn)(task));
    }
}

impl<'a, K: TaskKind> Arrivals<'a, K> {
    fn push(&self, slot: Slot<'a, K>) {
        let mut slot = Some(slot);
        if let Some(tasks) = &mut *lock(&self.tasks) {
            tasks.extend(slot.take());
        }
        // What was not taken is dropped here, and not under the lock.
        if slot.is_none() {
            self.ready.push(Turn::Arrival);
        }
    }

    /// Takes the task that arrived first.
    pub(super) fn pop(&self) -> Option<Slot<'a, K>> {
        lock(&self.tasks).as_mut().and_then(VecDeque::pop_front)
    }

    /// Takes all tasks, and no others from here on.
    pub(super) fn close(&self) -> Option<VecDeque<Slot<'a, K>>> {
        lock(&self.tasks).take()
    }
}
