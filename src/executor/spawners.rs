//! The two ways in which a task comes to a group.

use std::sync::Arc;

use super::kind::{Local, Shared, TaskKind};
use super::ready_queue::ReadyQueue;
use super::scheduler::Scheduler;
use super::slot::Slot;
use super::spawner::{SpawnFn, Spawner};
use super::task::Task;

/// The two ways in which a task comes to a group: from any thread, and from the thread of the group.
///
/// Where the services may go to other threads, these are one.
pub(crate) struct Spawners<'a, K: TaskKind> {
    /// For tasks that may go to other threads, from wherever they come.
    pub(crate) shared: Arc<Spawner<'a>>,

    /// For tasks of the group's own kind.
    pub(crate) own: Arc<Spawner<'a, K>>,
}

impl<'a> Spawners<'a, Shared> {
    pub(crate) fn in_place() -> Spawners<'a, Shared> {
        Spawners::one(Spawner::queued(&Arc::new(ReadyQueue::new())))
    }

    pub(crate) fn on<R>(spawn: impl Fn(Task<'a>) -> R + Send + Sync + 'a) -> Spawners<'a, Shared>
    where
        R: Send + 'static,
    {
        Spawners::one(Spawner::Spawned(SpawnFn::shared(spawn)))
    }

    fn one(spawner: Spawner<'a>) -> Spawners<'a, Shared> {
        let own = Arc::new(spawner);
        Spawners {
            shared: Arc::clone(&own),
            own,
        }
    }
}

impl<'a> Spawners<'a, Local> {
    pub(crate) fn local() -> Spawners<'a, Local> {
        let ready = Arc::new(ReadyQueue::new());
        Spawners::two(Spawner::queued(&ready), Spawner::queued(&ready))
    }

    pub(crate) fn local_on<R>(spawn: impl Fn(Task<'a, Local>) -> R + 'a) -> Spawners<'a, Local>
    where
        R: 'static,
    {
        // The function can be called on this thread alone: what comes from others waits for it.
        let shared = Spawner::queued(&Arc::new(ReadyQueue::new()));
        Spawners::two(shared, Spawner::Spawned(SpawnFn::local(spawn)))
    }

    #[expect(
        clippy::arc_with_non_send_sync,
        reason = "of the other kind it is both, and this is the same code"
    )]
    fn two(shared: Spawner<'a>, own: Spawner<'a, Local>) -> Spawners<'a, Local> {
        Spawners {
            shared: Arc::new(shared),
            own: Arc::new(own),
        }
    }
}

impl<'a, K: TaskKind> Spawners<'a, K> {
    /// Returns the side that wakes the tasks.
    pub(crate) fn scheduler(&self) -> Scheduler {
        match &*self.own {
            Spawner::Queued(arrivals) => Scheduler::in_place(&arrivals.ready),
            Spawner::Spawned(spawn) => Scheduler::Spawned(Arc::clone(&spawn.wakers)),
        }
    }

    /// Returns where the driver is told of tasks that wait for it, if they do.
    pub(super) fn ready(&self) -> Option<&Arc<ReadyQueue>> {
        self.shared.arrivals().map(|arrivals| &arrivals.ready)
    }

    /// Takes a task that waits for the driver. Those that came from this thread and those that came
    /// from any take turns, so that none of them waits for the others to be no more.
    pub(super) fn pop(&self, own_first: bool) -> Option<Slot<'a, K>> {
        let own = || self.own.arrivals().and_then(|arrivals| arrivals.pop());
        let shared = || {
            let slot = self.shared.arrivals().and_then(|arrivals| arrivals.pop());
            slot.map(Slot::into_kind)
        };
        if own_first {
            own().or_else(shared)
        } else {
            shared().or_else(own)
        }
    }

    /// Takes all tasks that wait for the driver, and no others from here on.
    pub(super) fn close(&self) -> Vec<Slot<'a, K>> {
        let shared = self.shared.arrivals().and_then(|arrivals| arrivals.close());
        let own = self.own.arrivals().and_then(|arrivals| arrivals.close());
        let shared = shared.into_iter().flatten().map(Slot::into_kind);
        shared.chain(own.into_iter().flatten()).collect()
    }
}

impl<K: TaskKind> Clone for Spawners<'_, K> {
    fn clone(&self) -> Self {
        Spawners {
            shared: Arc::clone(&self.shared),
            own: Arc::clone(&self.own),
        }
    }
}
