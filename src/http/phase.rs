//! Where a server stands between its first accept and its last close.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use crate::{Cause, StopSource, StopToken};

/// Where a server stands. It only ever goes down this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Phase {
    /// Nobody has asked it to stop.
    Serving,
    /// Serves everything still, but tells everyone to go elsewhere.
    LameDuck,
    /// Accepts nobody; finishes what it has.
    Draining,
    /// Time is up: drops what is left.
    Cancelling,
}

/// The phase, and who is told of it.
#[derive(Debug)]
pub(super) struct Lifecycle {
    /// A [`Phase`]. Stored before `drain` or `cancel` wakes anybody.
    phase: AtomicU8,
    /// When the drain began.
    began: OnceLock<Instant>,
    /// Stopped when the service is told to stop, before it has come round to the phases.
    stop: StopToken,
    /// Stopped at the drain: the handlers' token, and what wakes idle connections.
    drain: StopSource,
    /// Stopped when the server itself cancels.
    cancel: StopSource,
}

impl Lifecycle {
    pub(super) fn new(stop: StopToken) -> Self {
        Self {
            stop,
            phase: AtomicU8::new(Phase::Serving as u8),
            began: OnceLock::new(),
            drain: StopSource::new(),
            cancel: StopSource::new(),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Serving,
            1 => Phase::LameDuck,
            2 => Phase::Draining,
            _ => Phase::Cancelling,
        }
    }

    /// Whether the server is neither draining nor about to.
    pub(super) fn is_serving(&self) -> bool {
        self.phase() == Phase::Serving && !self.stop.is_stopped()
    }

    /// Goes on to the lame-duck time.
    pub(super) fn lame_duck(&self) {
        self.enter(Phase::LameDuck);
    }

    /// Goes on to the drain: idle connections wake, handlers are told, with the time they have.
    pub(super) fn drain(&self, cause: Cause, deadline: Option<Instant>) {
        let _ = self.began.set(Instant::now());
        self.enter(Phase::Draining);
        self.drain.stop_by(cause, deadline);
    }

    /// When the drain began, if it has.
    pub(super) fn drain_began(&self) -> Option<Instant> {
        self.began.get().copied()
    }

    /// Goes on to the cancel.
    pub(super) fn cancel(&self) {
        self.enter(Phase::Cancelling);
        self.cancel.stop(Cause::Requested);
    }

    fn enter(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Ordering::AcqRel);
    }

    /// Stopped when the drain begins.
    pub(super) fn draining(&self) -> StopToken {
        self.drain.token()
    }

    /// Stopped when the server itself cancels.
    pub(super) fn cancelling(&self) -> StopToken {
        self.cancel.token()
    }
}
