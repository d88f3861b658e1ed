//! The start of a service, until it is ready.

use std::time::Duration;

use super::core::Core;
use super::event::Event as Recorded;
use super::log;
use super::notices::Notice;
use crate::executor::node::Node;
use crate::service::exit::Failure;
use crate::service::id::ServiceId;
use crate::service::lifecycle::{Event, Flag, Phase};
use crate::service::record::Record;

/// Whether a service may start.
pub(crate) enum Start {
    Now,

    /// Not yet; it will be woken.
    Held,

    /// The stop came first.
    Refused,
}

impl Node<Core, Record> {
    /// Starts the service at its first poll, unless the stop came first or it is held.
    pub(crate) fn start(&self) -> Start {
        // Looked at before the stop. One that needs a service which failed is let go because that
        // one has returned, but after the stop: if it is seen to be free, so is the stop.
        let was_held = self.has(Flag::Held);
        if self.host.is_stopped() {
            // In the plan, it is dropped once it is told, which is after those that need it.
            let now = self.data.lifecycle();
            let waits = now.has(Flag::Planned) && now.phase() == Phase::Waiting;
            return if waits { Start::Held } else { Start::Refused };
        }
        // Before the record of it, which a test may answer by moving the clock.
        let now = self.host.timeline.now();
        let started = (!was_held).then(|| self.advance(Event::Start, Recorded::Started));
        let Some(before) = started.flatten() else {
            let is_waiting = self.data.lifecycle().phase() == Phase::Waiting;
            return if is_waiting {
                Start::Held
            } else {
                Start::Refused
            };
        };
        self.data.set_started(now);
        self.emit_change(Recorded::Started, Some(now));
        log::started(self);
        if before.has(Flag::Planned) && self.host.plan().start_timeout(self.index()).is_some() {
            self.host.notices.send(Notice::Starting(self.index()));
        }
        Start::Now
    }

    /// Notes that the service will say itself when it is ready; without effect once it is.
    pub(crate) fn set_starting(&self) {
        let before = self.data.set(Flag::Starting);
        let is_news = before.phase() == Phase::Running && !before.has(Flag::Starting);
        if is_news && !before.has(Flag::Ready) && self.host.narrator.may_warn() {
            self.host.notices.send(Notice::Starting(self.index()));
        }
    }

    /// Notes that the service is ready; false if it was before.
    pub(crate) fn set_ready(&self) -> bool {
        let before = self.data.set(Flag::Ready);
        if before.has(Flag::Ready) {
            return false;
        }
        if before.has(Flag::Starting) {
            log::ready(self);
        }
        self.report(Recorded::Ready);
        if before.has(Flag::Planned) {
            self.host.service_ready(self.index());
        }
        self.host.readiness.announce();
        true
    }

    /// Returns true if other services need this one and were started without its word.
    pub(crate) fn was_taken_for_ready(&self) -> bool {
        let now = self.data.lifecycle();
        now.has(Flag::Ready) && now.has(Flag::Planned) && !now.has(Flag::Starting)
    }

    /// Notes that the first poll is over, with no failure: a service that did not say otherwise is
    /// ready.
    pub(crate) fn end_first_poll(&self) {
        if !self.has(Flag::Restarted) {
            self.end_first_poll_of_run();
        }
    }

    /// Notes that a service which is restarted is ready when a run of it is.
    pub(crate) fn set_restarted(&self) {
        self.data.set(Flag::Restarted);
    }

    /// Notes that the first poll of a run is over, with no failure.
    pub(crate) fn end_first_poll_of_run(&self) {
        if !self.has(Flag::Starting) {
            self.set_ready();
        }
    }

    /// Fails the service if it has not said that it is ready.
    pub(crate) fn fail_start(&self, timeout: Duration) {
        // In one step: it may become ready at this moment, end, and be forgotten.
        if self.data.apply(Event::FailStart).is_some() {
            let message = format!("it was not ready {timeout:?} after its start");
            self.fail(Failure::Error(message.into()));
            if self.data.ignores_failures() {
                // The group goes on, and so do those that wait for it, but not for it.
                self.host
                    .stop_one(ServiceId::new(self.host.id, self.index()));
            }
        }
    }

    /// Notes that the service has failed before it was ready, if so: its end makes nobody start.
    pub(crate) fn fail_unready(&self) {
        self.data.apply(Event::Fail);
    }
}
