//! Tasks in place, polled by the task that awaits the group.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use slab::Slab;

use super::host::Host;
use super::job::Job;
use super::kind::{BoxedJob, TaskKind};
use super::node::{Keyed, Node};
use super::ready_queue::{ReadyQueue, Turn};
use super::slot::Slot;
use super::spawned::Spawned;
use super::spawners::Spawners;

/// How many tasks are polled before the task that awaits the group yields.
const BUDGET: usize = 256;

/// The tasks of a group in place, before its start and after.
pub(crate) struct InPlace<'a, K: TaskKind, H> {
    host: Arc<H>,

    /// Keeps the tasks that have arrived.
    spawners: Spawners<'a, K>,

    ready: Arc<ReadyQueue>,
    slots: Slab<Slot<'a, K>>,

    /// What was taken from the ready queue and has yet to have its turn.
    turns: VecDeque<Turn>,

    has_started: bool,

    /// True if what arrives next is looked for among what came from this thread first.
    own_first: bool,

    /// True once the tasks are another driver's.
    has_moved: bool,
}

impl<'a, K: TaskKind, H: Host> InPlace<'a, K, H> {
    pub(super) fn new(
        host: Arc<H>,
        spawners: Spawners<'a, K>,
        ready: Arc<ReadyQueue>,
    ) -> InPlace<'a, K, H> {
        InPlace {
            host,
            spawners,
            ready,
            slots: Slab::new(),
            turns: VecDeque::new(),
            has_started: false,
            own_first: false,
            has_moved: false,
        }
    }

    /// Moves the tasks, none of which has started, to a driver that spawns them. Nothing but the
    /// drop of this one may follow.
    pub(super) fn move_to_executor(&mut self) -> Spawned<'a, K, H> {
        let wakers = Arc::clone(self.host.scheduler().move_to_executor());
        let mut spawned = Spawned::new(Arc::clone(&self.host), self.spawners.clone(), wakers);
        for (_, slot) in std::mem::take(&mut self.slots) {
            spawned.add(slot.into_job());
        }
        self.has_moved = true;
        spawned
    }

    pub(super) fn add<T: Send + Sync + 'static>(
        &mut self,
        node: &Arc<Node<H, T>>,
        job: BoxedJob<'a, K>,
    ) {
        // Past four thousand million tasks the memory is gone.
        node.set_key(self.slots.insert(Slot::new(node, job)) as u32);
    }

    /// Polls the supervisor and the tasks that are ready.
    ///
    /// The supervisor has a waker of its own. To poll it for every poll of a task would cost a
    /// system call for each source of signals.
    pub(super) fn poll<R>(
        &mut self,
        mut supervisor: Pin<&mut dyn Future<Output = R>>,
        cx: &mut Context<'_>,
    ) -> Poll<R> {
        self.ready.register(cx.waker());
        let own = Waker::from(Arc::clone(&self.ready));
        let mut own = Context::from_waker(&own);
        if !std::mem::replace(&mut self.has_started, true) {
            if let Poll::Ready(result) = supervisor.as_mut().poll(&mut own) {
                return Poll::Ready(result);
            }
            self.start();
        }
        for _ in 0..BUDGET {
            match self.next() {
                Next::Turn(Turn::Supervisor) => {
                    self.ready.begin_supervisor();
                    if let Poll::Ready(result) = supervisor.as_mut().poll(&mut own) {
                        return Poll::Ready(result);
                    }
                }
                Next::Turn(Turn::Arrival) => self.adopt(),
                Next::Turn(Turn::Task(key)) => self.poll_task(key as usize),
                Next::Sweep => self.sweep(),
                Next::Sleep => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Starts the tasks that were added before the start, unless the stop came first.
    fn start(&mut self) {
        if self.host.is_stopped() {
            self.drop_unneeded();
        }
        self.sweep();
    }

    /// Drops the tasks that no other needs, those with the greatest rank first. The others end once
    /// those that need them are gone.
    fn drop_unneeded(&mut self) {
        let keys = self
            .slots
            .iter()
            .map(|(key, slot)| (slot.job().rank(), key));
        let mut keys: Vec<_> = keys.collect();
        keys.sort_unstable_by_key(|&(rank, _)| Reverse(rank));
        for (_, key) in keys {
            if !self.slots[key].job().is_needed() {
                drop(self.slots.remove(key));
            }
        }
    }

    /// Returns what to do next. After [`Next::Sleep`], what brings work wakes the driver.
    fn next(&mut self) -> Next {
        loop {
            if self.ready.take_sweep() {
                return Next::Sweep;
            }
            if self.turns.is_empty() {
                self.ready.take(&mut self.turns);
            }
            if let Some(turn) = self.turns.pop_front() {
                return Next::Turn(turn);
            }
            if self.ready.fall_asleep() {
                return Next::Sleep;
            }
        }
    }

    /// Polls every task.
    fn sweep(&mut self) {
        self.slots.retain(|_, slot| slot.poll().is_pending());
        self.ready.set_tasks(self.slots.len());
    }

    /// Polls a task, unless it has ended since it was woken. If its key has gone to another task
    /// meanwhile, that one is polled once for nothing.
    fn poll_task(&mut self, key: usize) {
        let polled = self.slots.get_mut(key).map(Slot::poll);
        if polled.is_some_and(|polled| polled.is_ready()) {
            self.slots.remove(key);
        }
    }

    /// Takes in the task that arrived first, and polls it.
    fn adopt(&mut self) {
        self.own_first = !self.own_first;
        if let Some(slot) = self.spawners.pop(self.own_first) {
            let key = self.slots.insert(slot);
            self.slots[key].job().node().set_key(key as u32);
            self.ready.set_tasks(self.slots.len());
            self.poll_task(key);
        }
    }
}

/// What the driver does next.
enum Next {
    Turn(Turn),

    /// Poll every task.
    Sweep,

    /// Return: there is nothing to do.
    Sleep,
}

impl<K: TaskKind, H> Drop for InPlace<'_, K, H> {
    fn drop(&mut self) {
        if self.has_moved {
            return;
        }
        // Closed first: the last act of a task may be to spawn another. What has arrived owns the
        // list that it is in, so it has to be taken out.
        let arrived = self.spawners.close();
        let mut slots: Vec<_> = self.slots.drain().chain(arrived).collect();
        slots.sort_by_cached_key(|slot| Reverse(slot.job().rank()));
        slots.into_iter().for_each(drop);
        self.ready.close();
    }
}
