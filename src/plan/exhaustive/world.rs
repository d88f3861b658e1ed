//! A small group with its plan: all that can happen to it, one atomic step at a time.
//!
//! What the members do with the plan and with their lifecycles is done here to the same plan and
//! the same lifecycles, in the same order; see [`members`](crate::members).

use super::data::{Group, Next, Op, Service};
use super::guarantees::{self, Broken};
use super::rules::{Rules, Wrong};
use crate::plan::graph::Standing;
use crate::plan::{Plan, Steps, Stopping};
use crate::service::lifecycle::{Event, Flag, Lifecycle, Phase};

#[derive(Clone, Hash)]
pub(super) struct World {
    pub(super) group: Group,
    pub(super) rules: Rules,

    /// The first guarantee that was broken.
    pub(super) broken: Broken,
}

impl World {
    pub(super) fn new(limit: Option<usize>, wrong: Option<Wrong>) -> World {
        let mut plan = Plan::default();
        if let Some(limit) = limit {
            plan.set_limit(limit);
        }
        World {
            group: Group::new(limit),
            rules: Rules { plan, wrong },
            broken: None,
        }
    }

    pub(super) fn check(&mut self, found: Broken) {
        if self.broken.is_none() {
            self.broken = found;
        }
    }

    pub(super) fn at(&self, index: usize) -> &Service {
        &self.group.services[index]
    }

    pub(super) fn at_mut(&mut self, index: usize) -> &mut Service {
        &mut self.group.services[index]
    }

    /// Sets a flag; returns the lifecycle before.
    pub(super) fn set(&mut self, index: usize, flag: Flag) -> Lifecycle {
        let now = &mut self.at_mut(index).lifecycle;
        let after = Lifecycle::from_bits(now.bits() | flag as u16);
        std::mem::replace(now, after)
    }

    /// Moves a service on; returns the lifecycle before, or `None` if the event does not apply.
    fn apply(&mut self, index: usize, event: Event) -> Option<Lifecycle> {
        let before = self.at(index).lifecycle;
        let after = before.after(event)?;
        let is_back = (after.phase() as u16) < before.phase() as u16;
        let is_untold = self.at(index).is_untold();
        self.at_mut(index).lifecycle = after;
        if is_back {
            self.check(Some(format!("service {index} goes back")));
        }
        if matches!(event, Event::Stop { .. } | Event::StopUnplanned) && is_untold {
            let told = guarantees::told(&self.group, index);
            self.check(told);
        }
        Some(before)
    }

    /// Has the plan decide, and changes the lifecycles as it says.
    fn decide<T>(&mut self, decide: impl FnOnce(&mut World, &mut Steps) -> T) -> T {
        let mut steps = Steps::default();
        let decision = decide(self, &mut steps);
        let is_kept = |index: &&usize| !self.at(**index).has(Flag::Forgotten);
        let start: Vec<_> = steps.start.iter().filter(is_kept).copied().collect();
        for &index in &steps.hold {
            self.set(index, Flag::Planned);
            self.set(index, Flag::Held);
        }
        for &index in &start {
            let now = &mut self.at_mut(index).lifecycle;
            *now = Lifecycle::from_bits(now.bits() & !(Flag::Held as u16));
        }
        for &index in &steps.stop {
            let alone = !self.group.is_stopped;
            self.apply(index, Event::Stop { alone });
            if self.rules.plan.is_cancelling() {
                self.apply(index, Event::Cancel);
            }
        }
        for &index in &steps.cancel {
            self.apply(index, Event::CancelAlone);
        }
        let granted = guarantees::granted(&self.group, &start);
        self.check(granted);
        decision
    }

    fn enroll(&mut self, index: usize) {
        if self.rules.plan.has(index) {
            return;
        }
        let now = self.set(index, Flag::Planned);
        let standing = Standing {
            ready_at: now.has(Flag::Ready).then_some(1),
            is_gone: now.is_gone() && !self.rules.is(Wrong::MissesGone),
            is_background: now.has(Flag::Background),
        };
        self.rules.plan.insert(index, standing);
    }

    /// Adds a service before the group runs.
    pub(super) fn add(&mut self, needs: u8, is_background: bool) {
        let index = self.group.services.len();
        self.group.services.push(Service::new(is_background));
        for below in (0..index).filter(|below| needs & 1 << below != 0) {
            self.decide(|world, steps| {
                world.enroll(below);
                world.enroll(index);
                world.rules.need(index, below, steps);
            });
        }
        if is_background {
            self.set(index, Flag::Background);
            self.rules.plan.set_background(index);
        }
        self.at_mut(index).needs = needs;
    }

    /// Adds a service by a handle, unless that is refused.
    pub(super) fn admit(&mut self, needs: u8, is_background: bool) {
        let index = self.group.services.len();
        self.decide(|world, steps| {
            let Some(found) = world.find_all_needed(needs) else {
                return;
            };
            if world.group.is_stopped {
                return;
            }
            world.group.services.push(Service::new(is_background));
            world.set(index, Flag::Added);
            if is_background {
                world.set(index, Flag::Background);
            }
            for &below in &found {
                world.enroll(index);
                world.rules.need(index, below, steps);
                world.at_mut(index).needs |= 1 << below;
                world.bind(index, below);
            }
            world.rules.plan.admit(index, is_background, steps);
        });
    }

    /// Notes what follows for a service from a need.
    fn bind(&mut self, index: usize, below: usize) {
        let below_is = self.at(below);
        let is_doomed = below_is.is_gone() && !below_is.has(Flag::Ready);
        let is_stopping = below_is.stops_alone || !below_is.is_untold();
        if is_doomed {
            self.at_mut(index).stops_alone = true;
        } else if is_stopping && !self.at(below).is_gone() {
            self.check(Some(format!("service {below} is needed while it stops")));
        }
    }

    fn find_all_needed(&mut self, needs: u8) -> Option<Vec<usize>> {
        let mut found = Vec::new();
        for below in (0..self.group.services.len()).filter(|below| needs & 1 << below != 0) {
            if self.at(below).has(Flag::Forgotten) {
                continue;
            }
            self.enroll(below);
            let now = self.at(below).lifecycle;
            let is_stopping = self.rules.plan.stops_alone(below) || now.is_stopped();
            if is_stopping && !now.is_gone() && !self.rules.is(Wrong::AdmitsAny) {
                return None;
            }
            found.push(below);
        }
        Some(found)
    }

    pub(super) fn open(&mut self) {
        self.decide(|world, steps| {
            if world.rules.plan.open() {
                for index in 0..world.group.services.len() {
                    if world.at(index).is_gone() && !world.rules.is(Wrong::LinesUpGone) {
                        continue;
                    }
                    let is_background = world.at(index).is_background;
                    world.rules.plan.line_up(index, is_background, steps);
                }
            }
            world.group.is_open = true;
        });
        self.group.ops.push(Op::Settle);
    }

    /// Latches the stop.
    pub(super) fn latch(&mut self) {
        if !std::mem::replace(&mut self.group.is_stopped, true) {
            self.group.notice_stopped = true;
        }
    }

    pub(super) fn stop_one(&mut self, index: usize) {
        self.group.stop_alone(index);
        self.decide(|world, steps| world.rules.stop_one(index, steps));
    }

    pub(super) fn cancel_one(&mut self, index: usize) {
        self.group.stop_alone(index);
        self.at_mut(index).cancels_alone = true;
        self.decide(|world, steps| world.rules.cancel_one(index, steps));
    }

    /// The service returns an error, which does not stop the group.
    pub(super) fn fail_ignored(&mut self, index: usize) {
        if !self.rules.is(Wrong::TakesFailedForReady) {
            self.apply(index, Event::Fail);
        }
        let service = self.at_mut(index);
        service.has_failed = true;
        service.next = Next::End { finished: true };
    }

    /// The service says that it is ready.
    pub(super) fn ready(&mut self, index: usize) {
        let before = self.set(index, Flag::Ready);
        self.at_mut(index).was_good = true;
        if before.has(Flag::Planned) {
            self.at_mut(index).next = Next::TellReady;
        }
    }

    pub(super) fn begin_poll(&mut self, index: usize) {
        self.at_mut(index).next = match self.group.is_stopped {
            _ if !self.rules.is(Wrong::LooksAtStopFirst) => Next::LookAtStop {
                was_held: self.at(index).has(Flag::Held),
            },
            true => Next::End { finished: false },
            false => Next::Start,
        };
    }

    /// Takes the next step of what a service is in the midst of.
    pub(super) fn go(&mut self, index: usize) {
        let next = self.at(index).next;
        self.at_mut(index).next = Next::Nothing;
        match next {
            Next::Nothing => {}
            Next::LookAtStop { was_held } => {
                let is_told = self.at(index).phase() == Phase::Refused;
                let is_planned = self.at(index).has(Flag::Planned);
                let is_stopped = self.group.is_stopped;
                let is_refused = is_told && (is_stopped || was_held) || is_stopped && !is_planned;
                self.at_mut(index).next = if is_refused {
                    Next::End { finished: false }
                } else if was_held || is_stopped {
                    Next::Nothing
                } else {
                    Next::Start
                };
            }
            Next::Start => self.start(index),
            Next::TellReady => {
                self.decide(|world, steps| world.rules.plan.ready(index, 1, steps));
            }
            Next::End { finished } => self.end(index, finished),
            Next::TellGone { finished } => {
                self.tell_gone(index, finished);
                self.at_mut(index).next = Next::Leave;
            }
            Next::Leave => self.leave(index),
        }
    }

    fn start(&mut self, index: usize) {
        if self.apply(index, Event::Start).is_some() {
            let started = guarantees::started(&self.group, index);
            self.check(started);
        } else if self.at(index).phase() != Phase::Waiting {
            self.at_mut(index).next = Next::End { finished: false };
        }
    }

    fn end(&mut self, index: usize, finished: bool) {
        let before = self.apply(index, Event::End { finished });
        let is_planned = before
            .unwrap_or(self.at(index).lifecycle)
            .has(Flag::Planned);
        let service = self.at_mut(index);
        service.was_good |= finished && !service.has_failed;
        service.next = if is_planned {
            Next::TellGone { finished }
        } else {
            Next::Leave
        };
    }

    /// Tells the plan that a service is gone.
    fn tell_gone(&mut self, index: usize, finished: bool) {
        if !self.at(index).has(Flag::Ready) {
            self.group.stop_dependents_alone(index);
        }
        self.decide(|world, steps| {
            if finished && world.at(index).has(Flag::Ready) {
                world.rules.plan.ready(index, 1, steps);
            }
            world.rules.gone(index, steps);
        });
    }

    fn leave(&mut self, index: usize) {
        let now = self.at(index).lifecycle;
        let was_ready = now.has(Flag::Ready);
        if now.is_forgettable(false) && was_ready && !self.group.is_stopped {
            self.set(index, Flag::Forgotten);
        }
        self.at_mut(index).has_left = true;
        let is_empty = self.group.services.iter().all(|service| service.has_left);
        if is_empty || (!self.at(index).is_background && self.group.is_quiet()) {
            self.group.notice_quiet = true;
        }
    }

    /// The time of a service is over.
    pub(super) fn cancel(&mut self, index: usize) {
        self.apply(index, Event::Cancel);
    }

    /// Gives up a service that was cancelled.
    pub(super) fn abandon(&mut self, index: usize) {
        let before = self.apply(index, Event::Abandon);
        if before.is_some_and(|before| before.has(Flag::Planned)) {
            self.tell_gone(index, false);
        }
    }

    /// Tells a service to stop with the group, unless another needs it.
    pub(super) fn stop_unless_needed(&mut self, index: usize) {
        let is_told = self.apply(index, Event::StopUnplanned).is_some();
        if !is_told && self.at(index).has(Flag::Planned) && self.rules.may_stop(index) {
            self.apply(index, Event::Stop { alone: false });
        }
    }

    pub(super) fn is_last(&self, index: usize) -> bool {
        let service = self.at(index);
        let is_last = || self.rules.plan.is_last(index);
        service.is_background && (!service.has(Flag::Planned) || is_last())
    }

    pub(super) fn stop_plan(&mut self, whom: Stopping) {
        self.rules.stop(whom);
    }
}
