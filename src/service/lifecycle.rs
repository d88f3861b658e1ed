//! The phases of a service, from its addition to its end, and what it takes to go on.
//!
//! All of it fits into 16 bits, so that one atomic holds it: of two things that happen to a
//! service at once, the second sees the first.

#[cfg(test)]
mod tests;

/// How far a service is. It never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Phase {
    /// Added, and not started.
    Waiting,

    /// Polled at least once.
    Running,

    /// Told to stop, and draining.
    Stopping,

    /// To be dropped at its next poll.
    Cancelled,

    /// Told to stop while it waited: to be dropped at its first poll.
    Refused,

    /// Ended by itself, its children too; what it owned has been dropped.
    Finished,

    /// Ended after its future was dropped, at the stop or at its deadline.
    Dropped,

    /// Given up: whatever becomes of it, the group does not wait for it.
    Abandoned,
}

/// Each phase at the index that is its number.
const PHASES: [Phase; 8] = [
    Phase::Waiting,
    Phase::Running,
    Phase::Stopping,
    Phase::Cancelled,
    Phase::Refused,
    Phase::Finished,
    Phase::Dropped,
    Phase::Abandoned,
];

/// The bits that hold the phase.
const PHASE: u16 = 7;

/// What is true of a service beside its phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Flag {
    /// There are tokens to pass the stop on to.
    HasTokens = 1 << 3,

    /// It is not to start yet: what it needs is not ready, or it waits for its turn.
    Held = 1 << 4,

    /// It is, or was, ready.
    Ready = 1 << 5,

    /// It will say itself when it is ready.
    Starting = 1 << 6,

    /// The plan has to be told of what happens to it.
    Planned = 1 << 7,

    /// It stops the group when it finishes well.
    StopsGroup = 1 << 8,

    /// It does not keep the group alive.
    Background = 1 << 9,

    /// It was cancelled because its time was over, or it was given up.
    Straggler = 1 << 10,

    /// It was told to stop while the group was not.
    StoppedAlone = 1 << 11,

    /// It was added by a handle.
    Added = 1 << 12,

    /// It has ended well, and its record is not kept.
    Forgotten = 1 << 13,

    /// It is restarted: not its own first poll tells that it is ready, but that of a run.
    Restarted = 1 << 14,

    /// It was not ready in time, or failed before it was.
    StartFailed = 1 << 15,
}

/// Something that moves a service from one phase to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Its task is polled for the first time.
    Start,

    /// It is told to stop; `alone` if the group is not.
    Stop { alone: bool },

    /// It is told to stop with the group, unless the plan has to decide on that.
    StopUnplanned,

    /// Its time to be ready is over.
    FailStart,

    /// It has failed.
    Fail,

    /// Its time is over.
    Cancel,

    /// Someone has asked that this one be cancelled.
    CancelAlone,

    /// It has ended: it returned, or it was dropped.
    End { finished: bool },

    /// The group does not wait for it any longer.
    Abandon,
}

/// A phase and a set of flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(crate) struct Lifecycle(u16);

impl Lifecycle {
    /// Returns the lifecycle of a service that was added just now.
    pub(crate) fn new() -> Lifecycle {
        Lifecycle(Phase::Waiting as u16)
    }

    pub(crate) fn from_bits(bits: u16) -> Lifecycle {
        Lifecycle(bits)
    }

    pub(crate) fn bits(self) -> u16 {
        self.0
    }

    pub(crate) fn phase(self) -> Phase {
        PHASES[usize::from(self.0 & PHASE)]
    }

    pub(crate) fn has(self, flag: Flag) -> bool {
        self.0 & flag as u16 != 0
    }

    fn at(self, phase: Phase) -> Lifecycle {
        Lifecycle(self.0 & !PHASE | phase as u16)
    }

    fn with(self, flag: Flag) -> Lifecycle {
        Lifecycle(self.0 | flag as u16)
    }

    /// Returns the lifecycle after an event; `None` if the event does not apply.
    pub(crate) fn after(self, event: Event) -> Option<Lifecycle> {
        match (event, self.phase()) {
            (Event::Start, Phase::Waiting) if !self.has(Flag::Held) => {
                Some(self.at(Phase::Running))
            }
            (Event::Stop { alone }, Phase::Waiting) => Some(self.stopped(Phase::Refused, alone)),
            (Event::Stop { alone }, Phase::Running) => Some(self.stopped(Phase::Stopping, alone)),
            (Event::StopUnplanned, _) if !self.has(Flag::Planned) => {
                self.after(Event::Stop { alone: false })
            }
            (Event::FailStart, Phase::Running) if !self.has(Flag::Ready) => {
                Some(self.with(Flag::StartFailed))
            }
            // Whether it was told to stop or not: its end does not make it ready.
            (Event::Fail, Phase::Running | Phase::Stopping | Phase::Cancelled)
                if !self.has(Flag::Ready) =>
            {
                Some(self.with(Flag::StartFailed))
            }
            (Event::Cancel, Phase::Stopping) => {
                Some(self.at(Phase::Cancelled).with(Flag::Straggler))
            }
            (Event::CancelAlone, Phase::Stopping) => Some(self.at(Phase::Cancelled)),
            (Event::End { .. }, Phase::Abandoned) => None,
            // One that finished has done what the others need of it. One that is restarted may have
            // been stopped between two runs, and says itself when it is ready.
            (Event::End { finished: true }, _)
                if self.has(Flag::Restarted) || self.has(Flag::StartFailed) =>
            {
                Some(self.at(Phase::Finished))
            }
            (Event::End { finished: true }, _) => Some(self.at(Phase::Finished).with(Flag::Ready)),
            (Event::End { finished: false }, _) => Some(self.at(Phase::Dropped)),
            (Event::Abandon, Phase::Cancelled | Phase::Refused) => {
                Some(self.at(Phase::Abandoned).with(Flag::Straggler))
            }
            _ => None,
        }
    }

    fn stopped(self, phase: Phase, alone: bool) -> Lifecycle {
        let stopped = self.at(phase);
        if alone {
            stopped.with(Flag::StoppedAlone)
        } else {
            stopped
        }
    }

    /// Returns true if it was told to stop; one that has ended, if it was told alone.
    ///
    /// Of one that has ended, whether the group has been stopped says the rest.
    pub(crate) fn is_stopped(self) -> bool {
        match self.phase() {
            Phase::Waiting | Phase::Running => false,
            Phase::Stopping | Phase::Cancelled | Phase::Refused | Phase::Abandoned => true,
            Phase::Finished | Phase::Dropped => self.has(Flag::StoppedAlone),
        }
    }

    /// Returns true if what runs of it is to be dropped.
    pub(crate) fn is_cancelled(self) -> bool {
        matches!(
            self.phase(),
            Phase::Cancelled | Phase::Refused | Phase::Dropped | Phase::Abandoned
        )
    }

    /// Returns true if it has ended, and was not given up before.
    pub(crate) fn has_ended(self) -> bool {
        matches!(self.phase(), Phase::Finished | Phase::Dropped)
    }

    /// Returns true if the group does not wait for it any more: it has ended, or was given up.
    pub(crate) fn is_gone(self) -> bool {
        self.has_ended() || self.phase() == Phase::Abandoned
    }

    /// Returns true if its end leaves nothing to tell: it was added by a handle, and has not failed in
    /// a way that stops the group.
    pub(crate) fn is_forgettable(self, ignores_failures: bool) -> bool {
        self.has_ended()
            && self.has(Flag::Added)
            && !self.has(Flag::Straggler)
            && (ignores_failures || !self.has(Flag::StartFailed))
    }

    /// Returns true if it has started and not ended.
    pub(crate) fn is_running(self) -> bool {
        matches!(
            self.phase(),
            Phase::Running | Phase::Stopping | Phase::Cancelled
        )
    }

    /// Returns true if it has to say yet that it is ready.
    pub(crate) fn is_starting(self) -> bool {
        self.phase() == Phase::Running && !self.has(Flag::Ready)
    }

    /// Returns true if nothing about its start is to come: it is ready, or is gone.
    pub(crate) fn is_up(self) -> bool {
        self.has(Flag::Ready) || self.is_gone()
    }
}
