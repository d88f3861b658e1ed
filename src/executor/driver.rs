//! What drives the tasks of a group: in place, or on an executor that the user gave.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::host::Host;
use super::in_place::InPlace;
use super::kind::{BoxedJob, TaskKind};
use super::node::Node;
use super::scheduler::Scheduler;
use super::spawned::{Spawn, Spawned};
use super::spawners::Spawners;

/// The tasks of a group: those that wait for its start, and in place those that run.
///
/// Dropping it drops them, and from then on nothing can be spawned in place.
pub(crate) enum Driver<'a, K: TaskKind, H> {
    InPlace(InPlace<'a, K, H>),
    Spawned(Spawned<'a, K, H>),
}

impl<'a, K: TaskKind, H: Host> Driver<'a, K, H> {
    pub(crate) fn new(host: &Arc<H>, spawners: &Spawners<'a, K>) -> Driver<'a, K, H> {
        let (own, spawners) = (Arc::clone(host), spawners.clone());
        match host.scheduler() {
            Scheduler::InPlace { ready, .. } => {
                Driver::InPlace(InPlace::new(own, spawners, Arc::clone(ready)))
            }
            Scheduler::Spawned(wakers) => {
                Driver::Spawned(Spawned::new(own, spawners, Arc::clone(wakers)))
            }
        }
    }

    /// Has tasks in place spawned at the start instead of polled.
    pub(crate) fn move_to_executor(&mut self) {
        if let Driver::InPlace(driver) = self {
            let spawned = driver.move_to_executor();
            *self = Driver::Spawned(spawned);
        }
    }

    /// Adds a task that starts with the group.
    pub(crate) fn add<T: Send + Sync + 'static>(
        &mut self,
        node: &Arc<Node<H, T>>,
        job: BoxedJob<'a, K>,
    ) {
        match self {
            Driver::InPlace(driver) => driver.add(node, job),
            Driver::Spawned(driver) => driver.add(job),
        }
    }

    /// Runs the supervisor, whose output ends the group, and in place the tasks too.
    ///
    /// The supervisor has the first turn: it may know of a stop, and then nothing starts.
    pub(crate) fn poll<R>(
        &mut self,
        supervisor: Pin<&mut dyn Future<Output = R>>,
        cx: &mut Context<'_>,
    ) -> Poll<R> {
        match self {
            Driver::InPlace(driver) => driver.poll(supervisor, cx),
            Driver::Spawned(driver) => driver.poll(None, supervisor, cx),
        }
    }

    /// Runs the supervisor as [`poll`](Driver::poll) does, and spawns with this function what was
    /// [moved](Driver::move_to_executor).
    pub(crate) fn poll_on<R>(
        &mut self,
        spawn: &Spawn<'_, 'a, K>,
        supervisor: Pin<&mut dyn Future<Output = R>>,
        cx: &mut Context<'_>,
    ) -> Poll<R> {
        match self {
            Driver::InPlace(driver) => driver.poll(supervisor, cx),
            Driver::Spawned(driver) => driver.poll(Some(spawn), supervisor, cx),
        }
    }
}
