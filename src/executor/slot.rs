//! A task in place.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::host::Host;
use super::job::{BoxedJob, Job};
use super::node::Node;

/// A task in place.
pub(super) struct Slot<'a> {
    job: BoxedJob<'a>,
    waker: Waker,
}

impl<'a> Slot<'a> {
    pub(super) fn new<H: Host, T: Send + Sync + 'static>(
        node: &Arc<Node<H, T>>,
        job: BoxedJob<'a>,
    ) -> Slot<'a> {
        let waker = Waker::from(Arc::clone(node));
        Slot { job, waker }
    }

    pub(super) fn poll(&mut self) -> Poll<()> {
        self.job
            .as_mut()
            .poll(&mut Context::from_waker(&self.waker))
    }

    /// Returns what the task does.
    pub(super) fn job(&self) -> &dyn Job {
        &*self.job
    }
}
