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
                drop_by_rank(&mut self.waiting);
            }
            self.start();
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

impl<H> Drop for Spawned<'_, H> {
    fn drop(&mut self) {
        drop_by_rank(&mut self.waiting);
    }
}

/// Drops tasks, those with the greatest rank first.
fn drop_by_rank(tasks: &mut Vec<Task<'_>>) {
    tasks.sort_by_cached_key(|task| Reverse(task.rank()));
    tasks.clear();
}
