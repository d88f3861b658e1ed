//! The plan, and plans that are wrong on purpose.

use std::mem::replace;

use crate::plan::{Plan, Steps, Stopping};

/// What is wrong with a plan, or with how it is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wrong {
    /// It never finds those that are stopped last.
    FindsNoLast,

    /// Once the group stops, it tells those that are stopped last with the others.
    TellsLastEarly,

    /// A service that needs others is not held.
    HoldsNone,

    /// A service that is gone keeps its turn.
    KeepsTurns,

    /// One that is gone has been ready.
    TakesGoneForReady,

    /// It does not tell the background when all others are gone.
    IgnoresAll,

    /// It tells a service that others need.
    TellsNeeded,

    /// It stops one service alone without those that need it.
    StopsOneWithoutDependents,

    /// It cancels one service alone without those that need it.
    CancelsOneWithoutDependents,

    /// It forgets that one is to be cancelled once those that need it are gone.
    ForgetsToCancel,

    /// One that failed before it was ready is ready by its end.
    TakesFailedForReady,

    /// It takes one that is gone for one that is not, when another is to need it.
    MissesGone,

    /// A service may be needed that is being stopped.
    AdmitsAny,

    /// At the start of the group one that has ended is lined up.
    LinesUpGone,

    /// A service that starts looks at the stop of the group before it looks whether it is held.
    LooksAtStopFirst,
}

/// The plan, which may be wrong on purpose.
#[derive(Clone, Hash)]
pub(super) struct Rules {
    pub(super) plan: Plan,
    pub(super) wrong: Option<Wrong>,
}

impl Rules {
    pub(super) fn is(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    pub(super) fn need(&mut self, index: usize, needed: usize, steps: &mut Steps) {
        let before = steps.hold.len();
        self.plan.need(index, needed, steps);
        if self.is(Wrong::HoldsNone) {
            steps.hold.truncate(before);
        }
    }

    pub(super) fn gone(&mut self, index: usize, steps: &mut Steps) {
        let stopping = self.plan.stopping;
        match self.wrong {
            Some(Wrong::KeepsTurns) => return self.gone_with_turn(index, steps),
            Some(Wrong::TakesGoneForReady) => self.plan.ready(index, 1, steps),
            Some(Wrong::IgnoresAll) if stopping == Stopping::All => {
                self.plan.stopping = Stopping::Foreground;
            }
            Some(Wrong::TellsLastEarly) if stopping == Stopping::Foreground => {
                self.plan.stopping = Stopping::All;
            }
            _ => {}
        }
        self.plan.gone(index, steps);
        self.plan.stopping = stopping;
    }

    /// As [`Plan::gone`], but for the turn.
    fn gone_with_turn(&mut self, index: usize, steps: &mut Steps) {
        let mut free = Vec::new();
        for above in self.plan.graph.gone(index, &mut free) {
            self.plan
                .graph
                .stop_alone(above, &mut steps.stop, &mut steps.hold);
        }
        free.retain(|&below| self.plan.is_due(below));
        steps.stop.append(&mut free);
    }

    pub(super) fn stop(&mut self, whom: Stopping) {
        if self.is(Wrong::FindsNoLast) {
            let _ = replace(&mut self.plan.stopping, whom);
        } else {
            self.plan.stop(whom);
        }
    }

    pub(super) fn stop_one(&mut self, index: usize, steps: &mut Steps) {
        if self.is(Wrong::StopsOneWithoutDependents) {
            steps.stop.push(index);
        } else {
            self.plan.stop_one(index, steps);
        }
    }

    pub(super) fn cancel_one(&mut self, index: usize, steps: &mut Steps) {
        match self.wrong {
            Some(Wrong::CancelsOneWithoutDependents) => {
                self.plan.stop_one(index, steps);
                steps.stop.push(index);
                steps.cancel.push(index);
            }
            Some(Wrong::ForgetsToCancel) if !self.plan.may_stop(index) => {
                self.plan.stop_one(index, steps);
            }
            _ => self.plan.cancel_one(index, steps),
        }
    }

    pub(super) fn may_stop(&self, index: usize) -> bool {
        self.is(Wrong::TellsNeeded) || self.plan.may_stop(index)
    }
}
