//! The future that sees a child of a service through.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_lite::ready;
use pin_project_lite::pin_project;

use super::core::Child;
use crate::executor::job::Job;
use crate::executor::panic::catch;
use crate::service::exit::End;
use crate::service::poll::poll_to_end;
use crate::service::result::sealed::IntoEnd;

pin_project! {
    /// A child of a service.
    pub(crate) struct ChildTask<F> {
        child: Arc<Child>,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for ChildTask<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let member = &this.child.data.member;
                let dropped = catch(|| this.future.set(None));
                member.fail_at_end(End::Dropped, dropped);
                member.fail_if_lost();
                this.child.leave();
            }
        }
    }
}

impl<F: Future<Output: IntoEnd>> ChildTask<F> {
    pub(crate) fn new(child: Arc<Child>, future: F) -> ChildTask<F> {
        ChildTask {
            child,
            future: Some(future),
        }
    }
}

impl<F: Future<Output: IntoEnd>> Future for ChildTask<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.child.begin_poll();
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Ready(());
        };
        let member = &this.child.data.member;
        let end = if member.is_cancelled() {
            End::Dropped
        } else {
            ready!(poll_to_end(future, cx))
        };
        let dropped = catch(|| this.future.set(None));
        member.fail_at_end(end, dropped);
        this.child.leave();
        Poll::Ready(())
    }
}

impl<F: Future<Output: IntoEnd> + Send> Job for ChildTask<F> {
    fn rank(&self) -> u64 {
        self.child.data.member.rank()
    }

    fn is_needed(&self) -> bool {
        false
    }
}
