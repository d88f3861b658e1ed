//! What a supervisor does when the time has come.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_lite::future;

use super::timer::Due;
use super::{Stage, Supervisor, TICK};
use crate::executor::kind::TaskKind;
use crate::members::core::Member;
use crate::members::log;
use crate::stop::force::Force;
use crate::time::{deadline_after, earliest, nanos};

impl<K: TaskKind> Supervisor<'_, K> {
    /// Sets the timer to the next deadline.
    pub(super) fn set_timer(&mut self) {
        let due = match self.stage {
            Stage::Running => earliest(self.timer.next(), self.starting.next()),
            Stage::Over => None,
            Stage::Draining { tick } => {
                let end = earliest(self.timer.next(), self.core.deadline());
                earliest(Some(tick), end)
            }
            Stage::Cancelling { until } => until,
        };
        // Of no use to the watchdog before the stop: the supervisor is polled for that at once.
        let is_running = matches!(self.stage, Stage::Running);
        self.core.set_due(due.filter(|_| !is_running));
        self.timer.set(&self.core, due);
    }

    /// A service is starting, and may have to be ready within a time.
    pub(super) fn await_ready(&mut self, index: usize) {
        self.starting.add(&self.core, index);
        let member = self.core.registry.get(index);
        let started = member.and_then(|member| member.data.started());
        let timeout = self.core.plan().start_timeout(index);
        if let (Some(started), Some(timeout)) = (started, timeout) {
            let started = self.core.timeline.instant(started);
            if let Some(at) = deadline_after(started, nanos(timeout)) {
                self.timer.push(&self.core, at, Due::Ready(index));
            }
        }
    }

    /// A service was told to stop in its turn, and has a deadline of its own.
    pub(super) fn await_end(&mut self, index: usize) {
        let member = self.core.registry.get(index);
        if let Some(own) = member.and_then(|member| member.own_deadline()) {
            self.timer.push(&self.core, own, Due::End(index));
        }
    }

    /// Does what is due.
    pub(super) async fn look_at_clock(&mut self) {
        let now = self.core.timeline.now_instant();
        match &mut self.stage {
            Stage::Draining { .. } if self.core.deadline().is_some_and(|end| end <= now) => {
                self.cancel(Force::Timeout(self.core.drain_limit().unwrap_or_default()));
            }
            Stage::Draining { tick } => {
                if *tick <= now {
                    *tick = now + TICK;
                    log::draining(&self.core);
                }
                let late = self.keep_deadlines(now);
                self.abandon_late(late).await;
            }
            Stage::Running => {
                let late = self.keep_deadlines(now);
                self.abandon_late(late).await;
                self.starting.look(&self.core, now);
            }
            Stage::Cancelling { until } if until.is_some_and(|until| until <= now) => {
                if mem::replace(&mut self.is_last_turn, true) {
                    self.abandon();
                } else {
                    future::yield_now().await;
                }
            }
            Stage::Cancelling { .. } | Stage::Over => {}
        }
    }

    /// Cancels those that are to have ended by now, and fails those that are to be ready. Returns those
    /// that are to be given up.
    fn keep_deadlines(&mut self, now: Instant) -> Vec<Arc<Member>> {
        let mut late = Vec::new();
        while let Some(due) = self.timer.pop(now) {
            let Some(member) = self.core.registry.get(due.index()) else {
                continue;
            };
            match due {
                Due::End(_) => self.cancel_late(&member, now),
                Due::Abandon(_) => late.push(member),
                Due::Ready(_) => {
                    let timeout = self.core.plan().start_timeout(due.index());
                    member.fail_start(timeout.unwrap_or_default());
                }
            }
        }
        late
    }

    /// Cancels a service whose own time is over, unless it has ended.
    fn cancel_late(&mut self, member: &Arc<Member>, now: Instant) {
        if member.cancel() {
            let timeout = member.own_timeout().map(Duration::from_nanos);
            let force = Force::Timeout(timeout.unwrap_or_default());
            log::cancelling_one(member, &force);
            self.core.forces.note(member.index(), force);
            member.wake_with_children();
            self.await_turn(member.index(), now);
        }
    }

    /// Sets a limit to the wait for a service that was cancelled alone.
    pub(super) fn await_turn(&mut self, index: usize, now: Instant) {
        if let Some(at) = deadline_after(now, self.core.timeouts.cancel()) {
            self.timer.push(&self.core, at, Due::Abandon(index));
        }
    }

    /// Gives up services that were cancelled alone and have not ended in time, after a last turn.
    async fn abandon_late(&mut self, late: Vec<Arc<Member>>) {
        if late.is_empty() {
            return;
        }
        future::yield_now().await;
        for member in late {
            if member.abandon() {
                log::abandoned_one(&member);
            }
        }
        self.settle();
    }
}
