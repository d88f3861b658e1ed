//! Tasks on an executor that the user gave.

use std::cmp::Reverse;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::host::Host;
use super::job::BoxedJob;
use super::node::Node;
use super::scheduler::Wakers;
use super::spawner::Spawner;
use super::task::Task;

/// The tasks of a group on an executor that the user gave, until they are spawned at its start.
pub(crate) struct Spawned<'a, H> {
    host: Arc<H>,
    spawner: Arc<Spawner<'a>>,
    wakers: Arc<Wakers>,
    waiting: Vec<Task<'a>>,
    has_started: bool,
}

impl<'a, H: Host> Spawned<'a, H> {
    pub(super) fn new(
        host: Arc<H>,
        spawner: Arc<Spawner<'a>>,
        wakers: Arc<Wakers>,
    ) -> Spawned<'a, H> {
        Spawned {
            host,
            spawner,
            wakers,
            waiting: Vec::new(),
            has_started: false,
        }
    }

    pub(super) fn add<T: Send + Sync + 'static>(
        &mut self,
        node: &Arc<Node<H, T>>,
        job: BoxedJob<'a>,
    ) {
        self.waiting.push(Task::new(&self.wakers, &**node, job));
    }

    /// Polls the supervisor; the first time, spawns the tasks, unless the stop came first.
    pub(super) fn poll<R>(
        &mut self,
        supervisor: Pin<&mut dyn Future<Output = R>>,
        cx: &mut Context<'_>,
    ) -> Poll<R> {
        let result = supervisor.poll(cx);
        if !std::mem::replace(&mut self.has_started, true) {
            if self.host.is_stopped() {
                self.drop_unneeded();
            } else {
                self.start();
            }
        }
        result
    }

    /// Spawns the tasks.
    fn start(&mut self) {
        if let Some(spawn) = self.spawner.spawn_fn() {
            self.waiting.drain(..).for_each(|task| spawn.call(task));
        }
    }
}

impl<H> Spawned<'_, H> {
    /// Drops the tasks that no other needs, those with the greatest rank first. The others are
    /// spawned, and end once those that need them are gone.
    fn drop_unneeded(&mut self) {
        let mut tasks = std::mem::take(&mut self.waiting);
        tasks.sort_by_cached_key(|task| Reverse(task.job().rank()));
        for task in tasks {
            match self.spawner.spawn_fn() {
                Some(spawn) if task.job().is_needed() => spawn.call(task),
                _ => drop(task),
            }
        }
    }
}

impl<H> Drop for Spawned<'_, H> {
    fn drop(&mut self) {
        self.drop_unneeded();
    }
}
