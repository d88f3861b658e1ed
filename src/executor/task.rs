//! A task as the executor that the user gave gets it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::counted::Counted;
use super::job::Job;
use super::kept::{Kept, Release};
use super::kind::{BoxedJob, Local, Shared, TaskKind};
use super::scheduler::Wakers;

/// A task of a group, for an executor to run to its end.
///
/// The function given to [`Group::on`](crate::Group::on) is called with it. It never panics and
/// returns nothing. Dropping it drops what it runs: after the stop the service is cancelled, and before
/// the stop it fails, which stops the group.
#[must_use = "a task does nothing unless an executor runs it"]
pub struct Task<'a, K: TaskKind = Shared> {
    job: BoxedJob<'a, K>,

    /// Where the group finds the waker of this task, and the key it has there.
    wakers: Arc<Wakers>,
    key: u32,

    /// The waker that is there, to see whether it is still the right one.
    waker: Option<Waker>,

    /// Dropped after what the task does. `None` if the group goes by the real time.
    counted: Option<Counted>,

    /// Keeps what the spawn function has returned, if that has to be kept.
    handle: Option<Release<K::Kept>>,
}

/// A task of a [`LocalGroup`](crate::LocalGroup), for an executor to run to its end on this thread.
pub type LocalTask<'a> = Task<'a, Local>;

impl<'a, K: TaskKind> Task<'a, K> {
    pub(super) fn new(wakers: &Arc<Wakers>, job: BoxedJob<'a, K>) -> Task<'a, K> {
        let key = wakers.insert();
        job.node().set_key(key);
        Task {
            job,
            wakers: Arc::clone(wakers),
            key,
            waker: None,
            counted: None,
            handle: None,
        }
    }

    /// Counts the task as busy by the clock of its group, if that is moved by hand.
    pub(super) fn count(&mut self) {
        self.counted = self.wakers.activity().map(Counted::new);
    }

    /// Returns what the task does.
    pub(super) fn job(&self) -> &K::Job<'a> {
        &self.job
    }

    /// Spawns the task. What the function returns is kept until the task has ended; what has no
    /// destructor need not be.
    pub(crate) fn spawn<R>(
        mut self,
        spawn: impl FnOnce(Task<'a, K>) -> R,
        erase: fn(Arc<Kept<R>>) -> Arc<K::Kept>,
    ) {
        if std::mem::needs_drop::<R>() {
            let kept = Arc::new(Kept::new());
            self.handle = Some(Release::new(erase(Arc::clone(&kept))));
            kept.keep(spawn(self));
        } else {
            spawn(self);
        }
    }
}

impl<K: TaskKind> Future for Task<'_, K> {
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
        let polled = match &task.counted {
            None => poll(cx),
            Some(counted) => counted.poll(cx, poll),
        };
        if polled.is_ready() {
            // Not left to the drop of the task, which its handle may keep.
            self.handle = None;
        }
        polled
    }
}

impl<K: TaskKind> Drop for Task<'_, K> {
    fn drop(&mut self) {
        self.wakers.remove(self.key);
    }
}

impl<K: TaskKind> fmt::Debug for Task<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}
