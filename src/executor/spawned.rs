//! Tasks on an executor that the user gave.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::host::Host;
use super::job::Job;
use super::kind::{BoxedJob, TaskKind};
use super::panic::catch;
use super::scheduler::Wakers;
use super::spawners::Spawners;
use super::task::Task;

/// How many tasks that have arrived are spawned before the task that awaits the group yields.
const BUDGET: usize = 256;

/// A function that spawns tasks, and is given with each poll.
pub(crate) type Spawn<'s, 'a, K> = dyn Fn(Task<'a, K>) + 's;

/// The tasks of a group on an executor that the user gave, until they are spawned at its start.
pub(crate) struct Spawned<'a, K: TaskKind, H> {
    host: Arc<H>,

    /// Keeps the tasks that wait for this driver, as only it may spawn them.
    spawners: Spawners<'a, K>,

    wakers: Arc<Wakers>,
    waiting: Vec<Task<'a, K>>,
    has_started: bool,
}

impl<'a, K: TaskKind, H: Host> Spawned<'a, K, H> {
    pub(super) fn new(
        host: Arc<H>,
        spawners: Spawners<'a, K>,
        wakers: Arc<Wakers>,
    ) -> Spawned<'a, K, H> {
        Spawned {
            host,
            spawners,
            wakers,
            waiting: Vec::new(),
            has_started: false,
        }
    }

    pub(super) fn add(&mut self, job: BoxedJob<'a, K>) {
        self.waiting.push(Task::new(&self.wakers, job));
    }

    /// Polls the supervisor; the first time, spawns the tasks, unless the stop came first. Spawns
    /// those that have arrived since.
    pub(super) fn poll<R>(
        &mut self,
        spawn: Option<&Spawn<'_, 'a, K>>,
        supervisor: Pin<&mut dyn Future<Output = R>>,
        cx: &mut Context<'_>,
    ) -> Poll<R> {
        if let Some(ready) = self.spawners.ready() {
            ready.register(cx.waker());
        }
        let result = supervisor.poll(cx);
        if !std::mem::replace(&mut self.has_started, true) {
            if self.host.is_stopped() {
                self.drop_unneeded(spawn);
            } else {
                let tasks = std::mem::take(&mut self.waiting);
                tasks.into_iter().for_each(|task| self.spawn(spawn, task));
            }
        }
        if result.is_pending() {
            self.adopt(spawn, cx);
        }
        result
    }

    /// Spawns the tasks that have arrived. One that arrives after this wakes the driver.
    fn adopt(&self, spawn: Option<&Spawn<'_, 'a, K>>, cx: &mut Context<'_>) {
        let Some(ready) = self.spawners.ready() else {
            return;
        };
        // No task of this driver has a turn: those that have arrived are looked for.
        ready.take_sweep();
        ready.take(&mut VecDeque::new());
        for turn in 0..BUDGET {
            match self.spawners.pop(turn % 2 == 0) {
                Some(slot) => self.spawn(spawn, Task::new(&self.wakers, slot.into_job())),
                None if ready.fall_asleep() => return,
                None => ready.take(&mut VecDeque::new()),
            }
        }
        cx.waker().wake_by_ref();
    }
}

impl<'a, K: TaskKind, H> Spawned<'a, K, H> {
    /// Spawns a task, with the function that the group has or with this one. Without either it is
    /// dropped.
    fn spawn(&self, spawn: Option<&Spawn<'_, 'a, K>>, mut task: Task<'a, K>) {
        match (self.spawners.own.spawn_fn(), spawn) {
            (Some(own), _) => own.call(task),
            (None, Some(spawn)) => {
                task.count();
                drop(catch(|| spawn(task)));
            }
            (None, None) => drop(task),
        }
    }

    /// Drops the tasks that no other needs, those with the greatest rank first. The others are
    /// spawned, and end once those that need them are gone.
    fn drop_unneeded(&mut self, spawn: Option<&Spawn<'_, 'a, K>>) {
        let mut tasks = std::mem::take(&mut self.waiting);
        tasks.sort_by_cached_key(|task| Reverse(task.job().rank()));
        for task in tasks {
            if task.job().is_needed() {
                self.spawn(spawn, task);
            } else {
                drop(task);
            }
        }
    }
}

impl<K: TaskKind, H> Drop for Spawned<'_, K, H> {
    fn drop(&mut self) {
        // Closed first: the last act of a task may be to spawn another.
        for slot in self.spawners.close() {
            self.waiting.push(Task::new(&self.wakers, slot.into_job()));
        }
        self.drop_unneeded(None);
        if let Some(ready) = self.spawners.ready() {
            ready.close();
        }
    }
}
