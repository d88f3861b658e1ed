//! A task in place.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::host::Host;
use super::kind::{BoxedJob, Shared, TaskKind};
use super::node::Node;

/// A task in place, or on its way to the driver.
pub(super) struct Slot<'a, K: TaskKind> {
    job: BoxedJob<'a, K>,
    waker: Waker,
}

impl<'a, K: TaskKind> Slot<'a, K> {
    pub(super) fn new<H: Host, T: Send + Sync + 'static>(
        node: &Arc<Node<H, T>>,
        job: BoxedJob<'a, K>,
    ) -> Slot<'a, K> {
        let waker = Waker::from(Arc::clone(node));
        Slot { job, waker }
    }

    pub(super) fn poll(&mut self) -> Poll<()> {
        self.job
            .as_mut()
            .poll(&mut Context::from_waker(&self.waker))
    }

    /// Returns what the task does.
    pub(super) fn job(&self) -> &K::Job<'a> {
        &self.job
    }

    /// Takes what the task does out of its place.
    pub(super) fn into_job(self) -> BoxedJob<'a, K> {
        self.job
    }
}

impl<'a> Slot<'a, Shared> {
    /// Makes it a task of any kind.
    pub(super) fn into_kind<K: TaskKind>(self) -> Slot<'a, K> {
        Slot {
            job: K::take(self.job),
            waker: self.waker,
        }
    }
}
