//! A service waiting for its stop.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::executor::host::Host;
use crate::members::core::Member;
use crate::stop::cause::Cause;
use crate::stop::token::Stopped;

/// The future of [`Scope::stopped`](crate::Scope::stopped).
#[must_use = "futures do nothing unless polled"]
pub struct ScopeStopped<'s> {
    member: &'s Arc<Member>,
    waiting: Waiting,
}

/// How a [`ScopeStopped`] comes to be polled again.
enum Waiting {
    /// It was not polled; or in place, by the task of the service, which needs nothing else.
    Nowhere,

    /// It was last polled with this waker, which is that of the service's task.
    Woken(Waker),

    /// It is polled with another waker, within the service or beyond it.
    Listening(Box<Stopped>),
}

impl Future for ScopeStopped<'_> {
    type Output = Cause;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cause> {
        let this = &mut *self;
        if let Some(cause) = this.member.cause() {
            return Poll::Ready(cause);
        }
        match &mut this.waiting {
            Waiting::Woken(waker) if waker.will_wake(cx.waker()) => Poll::Pending,
            Waiting::Listening(stopped) => Pin::new(&mut **stopped).poll(cx),
            _ => this.wait(cx),
        }
    }
}

impl<'s> ScopeStopped<'s> {
    pub(super) fn new(member: &'s Arc<Member>) -> ScopeStopped<'s> {
        ScopeStopped {
            member,
            waiting: Waiting::Nowhere,
        }
    }

    /// Has the stop wake this waker.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Cause> {
        // Of one that has ended the task is gone, and another may have its key.
        let is_own = self.member.is_woken_by(cx.waker());
        if is_own && !self.member.data.lifecycle().has_ended() {
            if !self.member.host.scheduler().is_in_place() {
                self.waiting = Waiting::Woken(cx.waker().clone());
            }
            return Poll::Pending;
        }
        let mut stopped = Box::new(self.member.token().stopped());
        let polled = Pin::new(&mut *stopped).poll(cx);
        self.waiting = Waiting::Listening(stopped);
        polled
    }
}

impl fmt::Debug for ScopeStopped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeStopped")
            .field("name", &self.member.name())
            .finish_non_exhaustive()
    }
}
