//! A move of a clock, step by step.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_lite::ready;

use super::schedule::{Schedule, Step};
use crate::sync::EventListener;

/// The future of [`Clock::advance`](crate::test::Clock::advance).
///
/// Dropping it moves the clock the rest of the way at once.
// Not `#[must_use]`: as a statement it is dropped, and has its effect then.
pub struct Advance {
    schedule: Arc<Schedule>,

    /// How far the clock is to be moved in the end, in nanoseconds.
    goal: u64,

    /// True once it was polled.
    has_begun: bool,

    /// Waits for the groups to come to rest.
    resting: Option<EventListener>,
}

impl Advance {
    pub(super) fn new(schedule: &Arc<Schedule>, by: u64) -> Advance {
        Advance {
            schedule: Arc::clone(schedule),
            goal: schedule.extend(by),
            has_begun: false,
            resting: None,
        }
    }
}

impl Future for Advance {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if !std::mem::replace(&mut this.has_begun, true) {
            this.schedule.await_rest();
        }
        loop {
            match this.schedule.step(this.goal) {
                Step::Arrived => return Poll::Ready(()),
                Step::Woke if this.schedule.is_at_rest() => {
                    // What was woken is no task of a group. It may have its turn.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Step::Woke | Step::Busy => {}
            }
            // Check, listen, check again, wait.
            match &mut this.resting {
                Some(resting) => {
                    ready!(Pin::new(resting).poll(cx));
                    this.resting = None;
                }
                None => this.resting = Some(this.schedule.activity.listen()),
            }
        }
    }
}

impl Drop for Advance {
    fn drop(&mut self) {
        self.schedule.jump(self.goal);
    }
}

impl fmt::Debug for Advance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Advance").finish_non_exhaustive()
    }
}
