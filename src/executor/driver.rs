//! What drives the tasks of a group: in place, or on an executor that the user gave.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::host::Host;
use super::in_place::InPlace;
use super::job::BoxedJob;
use super::node::Node;
use super::scheduler::Scheduler;
use super::spawned::Spawned;
use super::spawner::Spawner;

/// The tasks of a group: those that wait for its start, and in place those that run.
///
/// Dropping it drops them, and from then on nothing can be spawned in place.
pub(crate) enum Driver<'a, H> {
    InPlace(InPlace<'a, H>),
    Spawned(Spawned<'a, H>),
}

impl<'a, H: Host> Driver<'a, H> {
    pub(crate) fn new(host: &Arc<H>, spawner: &Arc<Spawner<'a>>) -> Driver<'a, H> {
        let (host, spawner) = (Arc::clone(host), Arc::clone(spawner));
        match spawner.scheduler() {
            Scheduler::InPlace(ready) => Driver::InPlace(InPlace::new(host, spawner, ready)),
            Scheduler::Spawned(wakers) => Driver::Spawned(Spawned::new(host, spawner, wakers)),
        }
    }

    /// Adds a task that starts with the group.
    pub(crate) fn add<T: Send + Sync + 'static>(
        &mut self,
        node: &Arc<Node<H, T>>,
        job: BoxedJob<'a>,
    ) {
        match self {
            Driver::InPlace(driver) => driver.add(node, job),
            Driver::Spawned(driver) => driver.add(node, job),
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
            Driver::Spawned(driver) => driver.poll(supervisor, cx),
        }
    }
}
