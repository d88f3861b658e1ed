//! The stop of a service: told, drained until its deadline, cancelled, given up.

use std::time::{Duration, Instant};

use super::core::Core;
use super::event::Event as Recorded;
use crate::executor::node::Node;
use crate::service::lifecycle::{Event, Flag, Lifecycle};
use crate::service::record::Record;
use crate::stop::cause::Cause;
use crate::stop::token::StopToken;
#[cfg(feature = "http")]
use crate::time::FOREVER;
use crate::time::{deadline_after, earliest};

impl Node<Core, Record> {
    /// Tells the service to stop, at `now`; false if it was told before or is gone. The caller
    /// then [passes the stop on](Self::pass_stop_on) and wakes its task.
    pub(crate) fn stop(&self, now: u64, alone: bool) -> bool {
        self.stop_by(Event::Stop { alone }, now)
    }

    fn stop_by(&self, event: Event, now: u64) -> bool {
        let is_news = self.advance(event, Recorded::Stopped).is_some();
        if is_news {
            self.data.set_stopped(now);
        }
        is_news
    }

    /// Tells the service to stop with the group, at `now`, unless another needs it.
    pub(crate) fn stop_unless_needed(&self, now: u64) -> bool {
        if self.stop_by(Event::StopUnplanned, now) {
            return true;
        }
        if !self.is_planned() {
            return false;
        }
        // The plan stays locked, so that no service comes to need this one in between.
        let plan = self.host.plan();
        plan.may_stop(self.index()) && self.stop(now, false)
    }

    /// Has the service's future dropped at its next poll, which the caller brings about; false if
    /// it was not told to stop before, or has ended.
    pub(crate) fn cancel(&self) -> bool {
        self.data.apply(Event::Cancel).is_some()
    }

    /// Returns true if the service was cancelled, in time or because someone has asked for it.
    pub(super) fn was_cancelled(&self) -> bool {
        self.has(Flag::Straggler) || self.host.forces.is_alone(self.index())
    }

    /// As [`cancel`](Node::cancel), where someone has asked for it: that makes no straggler.
    pub(super) fn cancel_alone(&self) -> bool {
        self.data.apply(Event::CancelAlone).is_some()
    }

    /// Gives up a service that was cancelled; false if it has ended.
    pub(crate) fn abandon(&self) -> bool {
        let before = self.data.apply(Event::Abandon);
        let Some(before) = before else {
            return false;
        };
        self.host.note_abandoned();
        self.report(Recorded::Abandoned);
        self.host.departures.announce(self.index());
        if !before.has(Flag::Ready) {
            self.host.readiness.announce();
        }
        if before.has(Flag::Planned) {
            self.host
                .service_gone(self.index(), before.has(Flag::Ready));
        }
        true
    }

    /// Returns true if the service or a child of it may still run, and it was not given up.
    pub(super) fn is_here(&self) -> bool {
        !self.data.lifecycle().is_gone()
    }

    /// Wakes the service and its children.
    pub(crate) fn wake_with_children(&self) {
        if self.data.children.count() > 0 {
            for child in self.host.families().of(self.index()) {
                child.wake_task();
            }
        }
        self.wake_task();
    }

    /// Returns true if the service is to stop.
    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped_at(self.data.lifecycle())
    }

    fn is_stopped_at(&self, now: Lifecycle) -> bool {
        now.is_stopped() || (now.has_ended() && self.host.is_stopped())
    }

    /// Returns true if what runs of the service is to be dropped.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.data.lifecycle().is_cancelled()
    }

    /// Returns why the service is to stop, once it is.
    pub(crate) fn cause(&self) -> Option<Cause> {
        let now = self.data.lifecycle();
        if !self.is_stopped_at(now) {
            None
        } else if now.has(Flag::StoppedAlone) {
            Some(Cause::Requested)
        } else {
            self.host.cause()
        }
    }

    /// Returns until when the service has time, once it was told to stop.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.is_stopped()
            .then(|| earliest(self.own_deadline(), self.host.deadline()))
            .flatten()
    }

    /// Returns the deadline that is not the group's: that of the service's own timeout, or, if it
    /// was stopped alone, that of the group's timeout counted from there.
    pub(crate) fn own_deadline(&self) -> Option<Instant> {
        let timeout = self.own_timeout()?;
        let stopped = self.data.stopped();
        // It was told at this very moment, and the time is not noted yet.
        let stopped = stopped.unwrap_or_else(|| self.host.timeline.now());
        deadline_after(self.host.timeline.instant(stopped), timeout)
    }

    /// Returns how long the drain may take, in nanoseconds, until the [own
    /// deadline](Self::own_deadline).
    pub(crate) fn own_timeout(&self) -> Option<u64> {
        match self.data.drain_timeout() {
            None if !self.has(Flag::StoppedAlone) => None,
            None => Some(self.host.timeouts.drain()),
            timeout => timeout,
        }
    }

    /// Returns how long the service has from the stop on, as far as that is known before; `None` if it may take
    /// forever.
    #[cfg(feature = "http")]
    pub(crate) fn drain_timeout(&self) -> Option<Duration> {
        let own = self.data.drain_timeout().unwrap_or(FOREVER);
        let timeout = own.min(self.host.timeouts.drain());
        (timeout != FOREVER).then(|| Duration::from_nanos(timeout))
    }

    /// Returns how long ago the service was told to stop; `None` if it was not.
    pub(crate) fn draining_for(&self) -> Option<Duration> {
        let since = self
            .host
            .timeline
            .now()
            .saturating_sub(self.data.stopped()?);
        Some(Duration::from_nanos(since))
    }

    /// Returns a token that is stopped when the service is told to stop.
    pub(crate) fn token(&self) -> StopToken {
        let token = self.data.source().token();
        let before = self.data.set(Flag::HasTokens);
        if before.has_ended() {
            self.leave_tokens();
        } else if before.is_stopped() {
            self.stop_tokens();
        }
        token
    }

    /// Has the tokens of a service that has ended stopped with the group.
    pub(super) fn leave_tokens(&self) {
        let source = self.data.source();
        if self.has(Flag::StoppedAlone) {
            source.stop_by(Cause::Requested, self.own_deadline());
        } else {
            self.host.adopt(source);
        }
    }

    /// Does what follows once the service was told to stop and no lock is held: stops its tokens,
    /// and tells the observers.
    pub(crate) fn pass_stop_on(&self) {
        self.emit_change(Recorded::Stopped, self.data.stopped());
        self.stop_tokens();
    }

    /// Stops the tokens of the service, if it has any.
    fn stop_tokens(&self) {
        if self.has(Flag::HasTokens) {
            if let Some(cause) = self.cause() {
                self.data.source().stop_by(cause, self.deadline());
            }
        }
    }
}
