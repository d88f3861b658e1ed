//! What a supervisor waits for with the clock.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::members::core::Core;
use crate::service::lifecycle::Phase;
use crate::time::alarm::Alarm;
use crate::time::deadlines::Deadlines;

/// What a service, by its index, is to have done by a deadline of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// To have said that it is ready.
    Ready(usize),

    /// To have ended.
    End(usize),

    /// One that was cancelled alone has had its turn, or is given up.
    Abandon(usize),
}

impl Due {
    /// Returns the index of the service.
    pub(super) fn index(self) -> usize {
        let (Due::Ready(index) | Due::End(index) | Due::Abandon(index)) = self;
        index
    }

    /// Returns true if the service has not done it.
    fn is_open(self, core: &Core) -> bool {
        let Some(member) = core.registry.get(self.index()) else {
            return false;
        };
        let now = member.data.lifecycle();
        match self {
            Due::Ready(_) => now.is_starting(),
            Due::End(_) => !now.is_gone(),
            Due::Abandon(_) => now.phase() == Phase::Cancelled,
        }
    }
}

/// The deadlines of single services, and a wait for the next deadline of all.
pub(super) struct Timer {
    /// Made when there is a first deadline.
    alarm: Option<Alarm>,

    deadlines: Deadlines<Due>,
}

impl Timer {
    pub(super) fn new() -> Timer {
        Timer {
            alarm: None,
            deadlines: Deadlines::new(),
        }
    }

    /// Adds a deadline of one service.
    pub(super) fn push(&mut self, core: &Core, at: Instant, due: Due) {
        self.deadlines.push(at, due, |due| due.is_open(core));
    }

    /// Returns the next deadline of a service.
    pub(super) fn next(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Takes what a service was to have done by now.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Due> {
        self.deadlines.pop(now)
    }

    /// Waits for this instant; for none, if there is none.
    pub(super) fn set(&mut self, core: &Core, at: Option<Instant>) {
        match (at, &mut self.alarm) {
            (Some(at), Some(alarm)) => alarm.set_at(at),
            (Some(at), alarm) => *alarm = Some(core.timeline.alarm(at)),
            (None, alarm) => *alarm = None,
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.alarm {
            Some(alarm) => Pin::new(alarm).poll(cx),
            None => Poll::Pending,
        }
    }
}
