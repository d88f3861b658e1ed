//! A service waiting for its stop.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::Cause;
use crate::member::Member;
use crate::token::Stopped;

/// The future of [`Scope::stopped`](crate::Scope::stopped).
#[must_use = "futures do nothing unless polled"]
pub struct ScopeStopped<'s> {
    member: &'s Arc<Member>,
    waiting: Waiting,
}

/// How a [`ScopeStopped`] comes to be polled again.
enum Waiting {
    /// It was not polled yet; or by the service's own task in place, whose waker is easily told.
    Nowhere,

    /// This waker, the last it was polled with, is that of the service's task.
    Woken(Waker),

    /// It is polled by something else within the service, or beyond it.
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

    /// Sees to it that the stop wakes this waker.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Cause> {
        if self.member.is_woken_by(cx.waker()) {
            if !self.member.is_in_place() {
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
