//! The future that sees a service through: start, run, join its children, end.
//!
//! The executor runs it. It catches panics, drops the service when it is cancelled, and counts it
//! out at the end, also if it is dropped itself.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_lite::ready;
use pin_project_lite::pin_project;

use super::core::Member;
use super::start::Start;
use crate::executor::job::Job;
use crate::executor::node::Keyed;
use crate::executor::panic::catch;
use crate::service::exit::End;
use crate::service::poll::poll_to_end;
use crate::service::result::sealed::IntoEnd;

pin_project! {
    /// A service, from before its start until its children have ended.
    pub(crate) struct ServiceTask<S, F> {
        member: Arc<Member>,
        #[pin]
        state: TaskState<S, F>,
    }

    impl<S, F> PinnedDrop for ServiceTask<S, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if !matches!(*this.state, TaskState::Ended) {
                // What it owns goes before it is counted out.
                let dropped = catch(|| this.state.set(TaskState::Ended));
                this.member.fail_at_end(End::Dropped, dropped);
                this.member.fail_if_lost();
                this.member.end_orphaned();
            }
        }
    }
}

pin_project! {
    #[project = TaskStateProj]
    enum TaskState<S, F> {
        /// Not polled; `start` makes the future.
        Waiting { start: Option<S> },

        /// Polled until it is done.
        Running { #[pin] future: F },

        /// Done, and dropped; its children may not be.
        Joining { finished: bool },

        /// Counted out.
        Ended,
    }
}

impl<S, F> ServiceTask<S, F>
where
    S: FnOnce() -> F,
    F: Future<Output: IntoEnd>,
{
    /// Makes the task of a service. `start` is called at its first poll.
    pub(crate) fn new(member: Arc<Member>, start: S) -> ServiceTask<S, F> {
        ServiceTask {
            member,
            state: TaskState::Waiting { start: Some(start) },
        }
    }

    /// Drops the service's future, or what was to make it, and notes how it ended.
    fn finish(self: Pin<&mut Self>, end: End) {
        let mut this = self.project();
        let finished = !matches!(end, End::Dropped);
        // Also when a destructor panics, the new state is in place after this.
        let dropped = catch(|| this.state.set(TaskState::Joining { finished }));
        if matches!(end, End::Failed(_)) {
            this.member.fail_unready();
        }
        this.member.fail_at_end(end, dropped);
    }

    /// Starts the service, unless the stop came before; pending if it is held.
    fn start(mut self: Pin<&mut Self>) -> Poll<()> {
        let this = self.as_mut().project();
        let TaskStateProj::Waiting { start } = this.state.project() else {
            return Poll::Ready(());
        };
        match this.member.start() {
            Start::Held => return Poll::Pending,
            Start::Now => {
                if let Some(start) = start.take() {
                    match catch(start) {
                        Ok(future) => self.project().state.set(TaskState::Running { future }),
                        Err(panicked) => self.finish(panicked.into()),
                    }
                }
            }
            Start::Refused => self.finish(End::Dropped),
        }
        Poll::Ready(())
    }
}

impl<S, F> Future for ServiceTask<S, F>
where
    S: FnOnce() -> F,
    F: Future<Output: IntoEnd>,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.member.begin_poll();
        let mut is_first = false;
        loop {
            let this = self.as_mut().project();
            match this.state.project() {
                TaskStateProj::Waiting { .. } => {
                    ready!(self.as_mut().start());
                    is_first = true;
                }
                TaskStateProj::Running { .. } if this.member.is_cancelled() => {
                    self.as_mut().finish(End::Dropped);
                }
                TaskStateProj::Running { future } => {
                    let polled = poll_to_end(future, cx);
                    if is_first && !matches!(polled, Poll::Ready(End::Failed(_))) {
                        this.member.end_first_poll();
                    }
                    self.as_mut().finish(ready!(polled));
                }
                TaskStateProj::Joining { finished } => {
                    if !this.member.data.children.join() {
                        return Poll::Pending;
                    }
                    this.member.end(*finished);
                    self.as_mut().project().state.set(TaskState::Ended);
                }
                TaskStateProj::Ended => return Poll::Ready(()),
            }
        }
    }
}

impl<S, F> Job for ServiceTask<S, F>
where
    S: FnOnce() -> F,
    F: Future<Output: IntoEnd>,
{
    fn node(&self) -> &dyn Keyed {
        &*self.member
    }

    fn rank(&self) -> u64 {
        self.member.rank()
    }

    fn is_needed(&self) -> bool {
        self.member.is_needed()
    }
}
