//! A task as the executor that the user gave gets it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::counted::Counted;
use super::job::{BoxedJob, Job};
use super::node::Keyed;
use super::scheduler::Wakers;

/// A task of a group, for an executor to run to its end.
///
/// The function given to [`Group::on`](crate::Group::on) is called with it. It never panics and
/// returns nothing. Dropping it cancels the service it belongs to.
#[must_use = "a task does nothing unless an executor runs it"]
pub struct Task<'a> {
    job: BoxedJob<'a>,

    /// Where the group finds the waker of this task, and the key it has there.
    wakers: Arc<Wakers>,
    key: u32,

    /// The waker that is there, to see whether it is still the right one.
    waker: Option<Waker>,

    /// Dropped after what the task does. `None` if the group goes by the real time.
    counted: Option<Counted>,
}

impl<'a> Task<'a> {
    pub(super) fn new(wakers: &Arc<Wakers>, node: &dyn Keyed, job: BoxedJob<'a>) -> Task<'a> {
        let key = wakers.insert();
        node.set_key(key);
        Task {
            job,
            wakers: Arc::clone(wakers),
            key,
            waker: None,
            counted: None,
        }
    }
}

impl Task<'_> {
    /// Counts the task as busy by the clock of its group, if that is moved by hand.
    pub(super) fn count(&mut self) {
        self.counted = self.wakers.activity().map(Counted::new);
    }

    /// Returns what the task does.
    pub(super) fn job(&self) -> &dyn Job {
        &*self.job
    }
}

impl Future for Task<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let task = &mut *self;
        let (job, wakers, last) = (&mut task.job, &task.wakers, &mut task.waker);
        let mut poll = |cx: &mut Context<'_>| {
            let is_known = last.as_ref().is_some_and(|last| last.will_wake(cx.waker()));
            if !is_known {
                wakers.set(task.key, cx.waker());
                *last = Some(cx.waker().clone());
            }
            job.as_mut().poll(cx)
        };
        match &task.counted {
            None => poll(cx),
            Some(counted) => counted.poll(cx, poll),
        }
    }
}

impl Drop for Task<'_> {
    fn drop(&mut self) {
        self.wakers.remove(self.key);
    }
}

impl fmt::Debug for Task<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}
