//! The futures that see a service, or a child of one, through: start, run, join, end.
//!
//! They are what the executor runs. They catch panics, drop what they run when it is cancelled,
//! and count it out in the end, even if it is they who are dropped.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_lite::ready;
use pin_project_lite::pin_project;

use crate::executor::{Job, Node};
use crate::exit::End;
use crate::member::{Member, Start};
use crate::service::sealed::IntoEnd;
use crate::{Exit, Scope};

/// The message of a panic, as far as it has one.
fn panicked(payload: &(dyn Any + Send)) -> End {
    let message = payload
        .downcast_ref::<&str>()
        .map(|message| (*message).to_owned());
    let message = message.or_else(|| payload.downcast_ref::<String>().cloned());
    End::Failed(Exit::Panicked(
        message.unwrap_or_else(|| "(a panic without a message)".to_owned()),
    ))
}

/// Runs what belongs to the user; a panic is how it ends.
pub(crate) fn guard<T>(run: impl FnOnce() -> T) -> Result<T, End> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| panicked(&*payload))
}

/// Polls a future of the user's.
pub(crate) fn poll_guarded<F: Future<Output: IntoEnd>>(
    future: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<End> {
    match guard(|| future.poll(cx)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(result)) => Poll::Ready(result.into_end()),
        Err(end) => Poll::Ready(end),
    }
}

/// Records the failures among the end of a future and the drop of what it owned.
fn report(member: &Member, end: End, dropped: Result<(), End>) {
    if let End::Failed(exit) = end {
        member.fail(exit);
    }
    if let Err(End::Failed(exit)) = dropped {
        member.fail(exit);
    }
}

/// Says that an executor dropped a task which nobody had cancelled: its work is not done.
fn report_lost(member: &Member) {
    if !member.hub.is_stopped() {
        member.fail(Exit::Failed("its executor dropped it".into()));
    }
}

pin_project! {
    /// A service, from before its start until its children have ended.
    pub(crate) struct Life<'a, S, F> {
        member: Arc<Member>,
        #[pin]
        stage: Stage<'a, S, F>,
    }

    impl<'a, S, F> PinnedDrop for Life<'a, S, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if !matches!(*this.stage, Stage::Ended) {
                // What it owns goes before it is counted out.
                let dropped = guard(|| this.stage.set(Stage::Ended));
                report(this.member, End::Dropped, dropped);
                report_lost(this.member);
                this.member.end(false);
            }
        }
    }
}

pin_project! {
    #[project = StageProj]
    enum Stage<'a, S, F> {
        /// Not yet polled.
        Waiting { start: Option<(S, Scope<'a>)> },
        /// Polled until it is done.
        Running { #[pin] future: F },
        /// Done, and gone; its children may not be.
        Joining { finished: bool },
        /// Counted out.
        Ended,
    }
}

impl<'a, S, F> Life<'a, S, F>
where
    S: FnOnce(Scope<'a>) -> F,
    F: Future<Output: IntoEnd>,
{
    pub(crate) fn new(service: S, scope: Scope<'a>) -> Life<'a, S, F> {
        let member = Arc::clone(scope.member());
        Life {
            member,
            stage: Stage::Waiting {
                start: Some((service, scope)),
            },
        }
    }

    /// Leaves the service's future, or what was to become it, and notes how it ended.
    fn finish(self: Pin<&mut Self>, end: End) {
        let mut this = self.project();
        let finished = !matches!(end, End::Dropped);
        // Also when a destructor panics, the new stage is in place after this.
        let dropped = guard(|| this.stage.set(Stage::Joining { finished }));
        report(this.member, end, dropped);
    }

    /// Starts the service, unless the stop came before; not ready if it is too early.
    fn start(mut self: Pin<&mut Self>) -> Poll<()> {
        let this = self.as_mut().project();
        let StageProj::Waiting { start } = this.stage.project() else {
            return Poll::Ready(());
        };
        match (this.member.start(), start) {
            (Start::Held, _) => return Poll::Pending,
            (Start::Now, start) => {
                if let Some((service, scope)) = start.take() {
                    match guard(|| service(scope)) {
                        Ok(future) => self.project().stage.set(Stage::Running { future }),
                        Err(end) => self.finish(end),
                    }
                }
            }
            (Start::Refused, _) => self.finish(End::Dropped),
        }
        Poll::Ready(())
    }
}

impl<'a, S, F> Future for Life<'a, S, F>
where
    S: FnOnce(Scope<'a>) -> F,
    F: Future<Output: IntoEnd>,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.member.begin_poll();
        let mut is_first = false;
        loop {
            let this = self.as_mut().project();
            match this.stage.project() {
                StageProj::Waiting { .. } => {
                    ready!(self.as_mut().start());
                    is_first = true;
                }
                StageProj::Running { .. } if this.member.is_cancelled() => {
                    self.as_mut().finish(End::Dropped);
                }
                StageProj::Running { future } => {
                    let polled = poll_guarded(future, cx);
                    if is_first && !matches!(polled, Poll::Ready(End::Failed(_))) {
                        this.member.end_first_poll();
                    }
                    self.as_mut().finish(ready!(polled));
                }
                StageProj::Joining { finished } => {
                    if !this.member.join_children() {
                        return Poll::Pending;
                    }
                    this.member.end(*finished);
                    self.as_mut().project().stage.set(Stage::Ended);
                }
                StageProj::Ended => return Poll::Ready(()),
            }
        }
    }
}

impl<'a, S, F> Job for Life<'a, S, F>
where
    S: FnOnce(Scope<'a>) -> F + Send,
    F: Future<Output: IntoEnd> + Send,
{
    fn depth(&self) -> u64 {
        self.member.depth()
    }
}

/// The waker of a child, which is where it finds its service.
pub(crate) type Child = Node<Arc<Member>>;

pin_project! {
    /// A child of a service.
    pub(crate) struct ChildLife<F> {
        child: Arc<Child>,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for ChildLife<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let dropped = guard(|| this.future.set(None));
                report(&this.child.data, End::Dropped, dropped);
                report_lost(&this.child.data);
                this.child.data.leave_child();
            }
        }
    }
}

impl<F: Future<Output: IntoEnd>> ChildLife<F> {
    pub(crate) fn new(child: Arc<Child>, future: F) -> ChildLife<F> {
        ChildLife {
            child,
            future: Some(future),
        }
    }
}

impl<F: Future<Output: IntoEnd>> Future for ChildLife<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.child.begin_poll();
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Ready(());
        };
        let member = &this.child.data;
        let end = if member.is_cancelled() {
            End::Dropped
        } else {
            ready!(poll_guarded(future, cx))
        };
        let dropped = guard(|| this.future.set(None));
        report(member, end, dropped);
        member.leave_child();
        Poll::Ready(())
    }
}

impl<F: Future<Output: IntoEnd> + Send> Job for ChildLife<F> {
    fn depth(&self) -> u64 {
        self.child.data.depth()
    }
}
