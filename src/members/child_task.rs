//! The future that sees a child of a service through.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_lite::ready;
use pin_project_lite::pin_project;

use super::child_output::ChildOutput;
use super::core::Child;
use crate::executor::job::Job;
use crate::executor::node::Keyed;
use crate::executor::panic::catch;
use crate::service::exit::{End, Failure};
use crate::service::result::sealed::IntoValue;

pin_project! {
    /// A child of a service, whose value is a `T`.
    pub(crate) struct ChildTask<F, T> {
        child: Arc<Child>,
        #[pin]
        future: Option<F>,

        // Where the value goes; `None` once it is there.
        output: Option<Arc<ChildOutput<T>>>,
    }

    impl<F, T> PinnedDrop for ChildTask<F, T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let member = &this.child.data.member;
                let dropped = catch(|| this.future.set(None));
                member.fail_at_end(End::Dropped, dropped);
                member.fail_if_lost();
                hand_over(this.child, this.output, None);
            }
        }
    }
}

impl<F, T> ChildTask<F, T>
where
    F: Future<Output: IntoValue<Value = T>>,
{
    pub(crate) fn new(child: Arc<Child>, future: F, output: Arc<ChildOutput<T>>) -> Self {
        ChildTask {
            child,
            future: Some(future),
            output: Some(output),
        }
    }
}

impl<F, T> Future for ChildTask<F, T>
where
    F: Future<Output: IntoValue<Value = T>>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.child.begin_poll();
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Ready(());
        };
        let (value, end) = if this.child.is_cancelled() {
            (None, End::Dropped)
        } else {
            match ready!(poll_to_value(future, cx)) {
                Ok(value) => (Some(value), End::Finished),
                Err(failure) => (None, End::Failed(failure)),
            }
        };
        let dropped = catch(|| this.future.set(None));
        this.child.data.member.fail_at_end(end, dropped);
        hand_over(this.child, this.output, value);
        Poll::Ready(())
    }
}

/// Polls a future, and returns a panic of it, or of what its output becomes, as a failure.
fn poll_to_value<F: Future<Output: IntoValue>>(
    future: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<Result<<F::Output as IntoValue>::Value, Failure>> {
    let polled = catch(|| future.poll(cx).map(IntoValue::into_value));
    polled.unwrap_or_else(|panicked| Poll::Ready(Err(panicked.into())))
}

/// Hands over what a child returned, if it did, and counts the child out.
fn hand_over<T>(child: &Child, output: &mut Option<Arc<ChildOutput<T>>>, value: Option<T>) {
    if let Some(output) = output.take() {
        output.set(value);
        // If nobody awaits the value, it is dropped here, which is code of the user's.
        if let Err(panicked) = catch(|| drop(output)) {
            child.data.member.fail(panicked.into());
        }
    }
    child.leave();
}

impl<F, T> Job for ChildTask<F, T>
where
    F: Future<Output: IntoValue<Value = T>>,
{
    fn node(&self) -> &dyn Keyed {
        &*self.child
    }

    fn rank(&self) -> u64 {
        self.child.data.member.rank()
    }

    fn is_needed(&self) -> bool {
        false
    }
}
