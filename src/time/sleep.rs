//! A wait by a clock that is moved by hand.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use super::schedule::Schedule;

/// The future of [`Clock::sleep`](crate::test::Clock::sleep).
#[must_use = "futures do nothing unless polled"]
pub struct Sleep {
    schedule: Arc<Schedule>,

    /// When it ends, in nanoseconds by the clock; `None` if it never does.
    until: Option<u64>,

    /// The number that it has among the sleepers, while it is one.
    number: Option<u64>,
}

impl Sleep {
    pub(super) fn new(schedule: &Arc<Schedule>, until: Option<Instant>) -> Sleep {
        Sleep {
            schedule: Arc::clone(schedule),
            until: until.and_then(|until| schedule.nanos_at(until)),
            number: None,
        }
    }

    /// Waits for another instant instead.
    pub(super) fn set_at(&mut self, at: Instant) {
        let until = self.schedule.nanos_at(at);
        if until != self.until {
            self.forget();
            self.until = until;
        }
    }

    fn forget(&mut self) {
        if let Some(until) = self.until {
            self.schedule.forget(until, &mut self.number);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        match this.until {
            Some(at) if this.schedule.poll(at, &mut this.number, cx.waker()) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.forget();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").finish_non_exhaustive()
    }
}
