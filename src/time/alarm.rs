//! A wait for an instant, by the clock of a group.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use async_io::Timer;

use super::clock::Clock;
use super::sleep::Sleep;

/// A wait for an instant, by the real clock or by one that is moved by hand.
pub(crate) enum Alarm {
    Real(Timer),
    ByHand(Sleep),
}

impl Alarm {
    pub(crate) fn new(clock: Option<&Clock>, at: Instant) -> Alarm {
        match clock {
            None => Alarm::Real(Timer::at(at)),
            Some(clock) => Alarm::ByHand(clock.sleep_until(Some(at))),
        }
    }

    /// Waits for another instant instead.
    pub(crate) fn set_at(&mut self, at: Instant) {
        match self {
            Alarm::Real(timer) => timer.set_at(at),
            Alarm::ByHand(sleep) => sleep.set_at(at),
        }
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *self {
            Alarm::Real(timer) => Pin::new(timer).poll(cx).map(drop),
            Alarm::ByHand(sleep) => Pin::new(sleep).poll(cx),
        }
    }
}
