//! The course of a service: waiting, running, told to stop, cancelled, ended; and ready or not.
//!
//! All of it is one atomic, so that of any two things that happen to a service at once the second
//! sees the first. `SeqCst` throughout, with the key of its task: see [`Node::wake_task`].

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Record, traits};
use crate::executor::Node;
use crate::notices::Notice;
use crate::test::Event;
use crate::{Cause, Exit, State, journal};

/// How far a service is. Each number is past those before it; none is ever gone back to.
pub(super) mod phase {
    /// Added, and not yet started.
    pub(in super::super) const WAITING: u8 = 0;
    /// Polled at least once.
    pub(in super::super) const RUNNING: u8 = 1;
    /// Told to stop, and draining.
    pub(in super::super) const STOPPING: u8 = 2;
    /// To be dropped at its next poll.
    pub(in super::super) const CANCELLED: u8 = 3;
    /// Told to stop while waiting: to be dropped at its first poll.
    pub(in super::super) const REFUSED: u8 = 4;
    /// Ended, its children too; what it owned has been dropped.
    pub(in super::super) const FINISHED: u8 = 5;
    /// Ended so after its future was dropped, at the stop or at its deadline.
    pub(in super::super) const DROPPED: u8 = 6;
    /// Given up: whatever becomes of it, nobody waits for it.
    pub(in super::super) const ABANDONED: u8 = 7;
}

/// The bits of the state that hold the phase.
const PHASE: u8 = 7;

/// There are tokens to pass the stop on to.
const TOKENS: u8 = 1 << 3;

/// It is not to start yet: what it needs is not ready, or it waits for its turn.
const HELD: u8 = 1 << 4;

/// It is, or was, ready.
const READY: u8 = 1 << 5;

/// It will say itself when it is ready.
const STARTING: u8 = 1 << 6;

/// The plan is to hear how far it is.
const TIED: u8 = 1 << 7;

/// What a service finds when it is about to start.
pub(crate) enum Start {
    /// It may.
    Now,

    /// Not yet; it will be woken.
    Held,

    /// The stop came first.
    Refused,
}

impl Node<Record> {
    fn state(&self) -> u8 {
        self.data.state.load(Ordering::SeqCst)
    }

    pub(super) fn phase(&self) -> u8 {
        self.state() & PHASE
    }

    /// Sets bits; returns the state before.
    fn set(&self, bits: u8) -> u8 {
        self.data.state.fetch_or(bits, Ordering::SeqCst)
    }

    /// Notes that there are tokens; whether they have to be stopped at once.
    pub(super) fn note_token(&self) -> bool {
        self.set(TOKENS) & PHASE >= phase::STOPPING
    }

    /// Moves on to `to` if the phase is `from`, and passes on a stop that is news.
    fn advance(&self, from: u8, to: u8) -> bool {
        let next = |state: u8| (state & PHASE == from).then_some(state & !PHASE | to);
        match self
            .data
            .state
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, next)
        {
            Ok(state) => {
                if state & TOKENS != 0 && to >= phase::STOPPING {
                    self.pass_stop_on();
                }
                true
            }
            Err(_) => false,
        }
    }

    /// Keeps the service from starting until it is [released](Self::release), and has the plan
    /// hear of it.
    pub(crate) fn hold(&self) {
        self.set(HELD | TIED);
    }

    /// Lets the service start.
    pub(crate) fn release(&self) {
        self.data.state.fetch_and(!HELD, Ordering::SeqCst);
        self.wake_task();
    }

    /// Has the plan hear of the service from here on; how far it is at this moment.
    pub(crate) fn tie(&self) -> (bool, bool) {
        let state = self.set(TIED);
        let ended = (phase::FINISHED..=phase::ABANDONED).contains(&(state & PHASE));
        (state & READY != 0, ended)
    }

    pub(crate) fn is_held(&self) -> bool {
        self.state() & HELD != 0
    }

    pub(crate) fn is_tied(&self) -> bool {
        self.state() & TIED != 0
    }

    /// Starts the service at its first poll, unless the stop came first or it is held.
    pub(crate) fn start(&self) -> Start {
        if !self.hub.is_stopped() {
            let state = self.state();
            if state & (HELD | PHASE) == HELD | phase::WAITING {
                return Start::Held;
            }
            if self.advance(phase::WAITING, phase::RUNNING) {
                self.data.started.store(self.hub.now(), Ordering::Relaxed);
                journal::started(self);
                self.record(Event::Started);
                if state & TIED != 0 && self.hub.plan.start_timeout(self.index()).is_some() {
                    self.hub.notices.send(Notice::Starting(self.index()));
                }
                return Start::Now;
            }
        }
        Start::Refused
    }

    /// The service will say itself when it is ready; of no effect once it is.
    pub(crate) fn set_starting(&self) {
        self.set(STARTING);
    }

    /// Whether the service is yet to say that it is ready.
    pub(crate) fn is_starting(&self) -> bool {
        self.state() & (PHASE | READY) == phase::RUNNING
    }

    /// Notes that the service is ready; false if it was before.
    pub(crate) fn set_ready(&self) -> bool {
        let state = self.set(READY);
        if state & READY != 0 {
            return false;
        }
        if state & STARTING != 0 {
            journal::ready(self);
        }
        self.record(Event::Ready);
        if state & TIED != 0 {
            self.hub.plan.ready(&self.hub, self.index());
        }
        self.hub.announce();
        true
    }

    /// Whether others need the service, and were let go on without its word.
    pub(crate) fn was_taken_for_ready(&self) -> bool {
        self.state() & (READY | STARTING | TIED) == READY | TIED
    }

    /// The first poll is over: one that did not say otherwise is ready.
    pub(crate) fn end_first_poll(&self) {
        if self.state() & STARTING == 0 {
            self.set_ready();
        }
    }

    /// Whether nothing about its start is still to come: it is ready, or has ended.
    pub(crate) fn is_up(&self) -> bool {
        let state = self.state();
        state & READY != 0 || state & PHASE >= phase::FINISHED
    }

    /// Tells the service to stop, at `now`; one that waits will not start. Once is enough.
    ///
    /// Its task has to be woken then; the answer is whether.
    pub(crate) fn stop(&self, now: u64) -> bool {
        if self.is_stopped() {
            return false;
        }
        // Both before the phase: whoever sees that looks at the time, and may end at once.
        self.record(Event::Stopped);
        self.data.stopped.store(now, Ordering::Relaxed);
        let stopped = self.advance(phase::RUNNING, phase::STOPPING)
            || self.advance(phase::WAITING, phase::REFUSED)
            || self.advance(phase::RUNNING, phase::STOPPING);
        if !stopped && self.phase() >= phase::FINISHED {
            // It ended by itself at this very moment. Had somebody else told it, it would be
            // draining, and the time be theirs as good as ours.
            self.data.stopped.store(0, Ordering::Relaxed);
        }
        stopped
    }

    /// Tells the service to stop when it is its turn in the plan, and sees to its task.
    pub(crate) fn stop_in_turn(&self) {
        if !self.hub.is_stopped() && !self.is_stopped() {
            self.mark(traits::ALONE);
        }
        if self.stop(self.hub.now()) {
            self.wake_task();
            if self.own_deadline().is_some() {
                self.hub.notices.send(Notice::Stopping(self.index()));
            }
        }
        // Looked at after it has been told: whoever cancels sets this first, and then looks for
        // those that have been told.
        if self.hub.plan.is_cancelling() && self.cancel() {
            self.hub.notices.send(Notice::Cancelling);
            self.wake_all();
        }
    }

    /// Wakes the service and its children.
    fn wake_all(&self) {
        if self.children() == 0 {
            self.wake_task();
        } else {
            self.hub.dispatch.wake_all();
        }
    }

    /// Has the service's future dropped at its next poll, which the caller brings about; false if
    /// it has ended. It must have been told to stop before.
    pub(crate) fn cancel(&self) -> bool {
        self.advance(phase::STOPPING, phase::CANCELLED) && {
            self.mark(traits::STRAGGLER);
            true
        }
    }

    /// Gives up a service that was cancelled, unless it has ended.
    pub(crate) fn abandon(&self) {
        let abandoned = self.advance(phase::CANCELLED, phase::ABANDONED)
            || self.advance(phase::REFUSED, phase::ABANDONED);
        if abandoned {
            self.mark(traits::STRAGGLER);
            if self.is_tied() {
                self.hub.plan.gone(&self.hub, self, false);
            }
        }
    }

    /// Whether the service has been told to stop. One load.
    pub(crate) fn is_stopped(&self) -> bool {
        self.phase() >= phase::STOPPING
    }

    /// Whether the service is to be dropped. One load.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.phase() >= phase::CANCELLED
    }

    /// Whether the service has started and not ended.
    #[cfg(feature = "log")]
    pub(crate) fn is_running(&self) -> bool {
        (phase::RUNNING..=phase::CANCELLED).contains(&self.phase())
    }

    /// Whether it has ended, and was not given up before.
    pub(super) fn has_ended(&self) -> bool {
        (phase::FINISHED..=phase::DROPPED).contains(&self.phase())
    }

    /// Whether nobody waits for it any more: it has ended, or was given up.
    pub(crate) fn is_gone(&self) -> bool {
        self.phase() >= phase::FINISHED
    }

    /// How far the service is, and since when by the clock of the hub.
    pub(crate) fn progress(&self) -> (State, u64) {
        let state = self.state();
        let started = self.started().unwrap_or(0);
        let stopped = self.stopped().unwrap_or(started);
        match state & PHASE {
            phase::WAITING => (State::Waiting, 0),
            phase::RUNNING if state & READY == 0 => (State::Starting, started),
            phase::RUNNING => {
                let ready = (state & TIED != 0).then(|| self.hub.plan.ready_at(self.index()));
                (State::Ready, ready.flatten().unwrap_or(started))
            }
            phase::STOPPING | phase::REFUSED => (State::Draining, stopped),
            phase::CANCELLED => (State::Cancelling, stopped),
            phase::ABANDONED => (State::Abandoned, stopped),
            _ => (State::Ended, self.ended().unwrap_or(stopped)),
        }
    }

    /// Has something written down, if anybody does.
    fn record(&self, event: impl FnOnce(String) -> Event) {
        if let Some(recorder) = self.hub.recorder() {
            recorder.push(event(self.name().to_owned()));
        }
    }

    /// Records a failure of the service and stops the group for it.
    pub(crate) fn fail(&self, exit: Exit) {
        journal::failed(self, &exit);
        self.record(|name| Event::Failed(name, exit.to_string()));
        let name = self.data.name.clone();
        let cause = match exit {
            Exit::Panicked(_) => Cause::Panicked(name),
            _ => Cause::Failed(name),
        };
        self.hub.fail(self.index(), exit, cause);
    }

    /// Fails the service if it is still to say that it is ready.
    pub(crate) fn fail_start(&self, timeout: Duration) {
        if self.is_starting() {
            let message = format!("it was not ready {timeout:?} after its start");
            self.fail(Exit::Failed(message.into()));
        }
    }

    /// Notes the end of the service: nothing of it is left.
    ///
    /// `finished` says that it returned, well or not; otherwise it was dropped. One that finished
    /// is ready if it never said so: it has done what the others need of it, and if it failed, the
    /// stop is there before them.
    pub(crate) fn end(&self, finished: bool) {
        self.data.ended.store(self.hub.now(), Ordering::Relaxed);
        let to = if finished {
            phase::FINISHED | READY
        } else {
            phase::DROPPED
        };
        let kept = |state| (state & PHASE != phase::ABANDONED).then_some(state & !PHASE | to);
        let state = self
            .data
            .state
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, kept);
        if finished && self.has(traits::STOPS_GROUP) {
            self.hub.stop(Cause::Finished(self.data.name.clone()));
        }
        journal::ended(self, finished);
        self.record(if finished {
            Event::Ended
        } else {
            Event::Cancelled
        });
        let (Ok(state) | Err(state)) = state;
        if state & TIED != 0 {
            self.hub.plan.gone(&self.hub, self, finished);
        }
        if state & READY == 0 {
            self.hub.announce();
        }
        self.hub.leave(self.is_background());
    }
}
