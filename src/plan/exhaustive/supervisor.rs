//! What the supervisor of a group does, one atomic step at a time.

use super::data::{Op, Service, Stage};
use super::world::World;
use crate::plan::Stopping;

impl World {
    /// Has the supervisor do this next, in this order.
    fn push(&mut self, ops: &[Op]) {
        self.group.ops.extend(ops.iter().rev());
    }

    /// The supervisor reads that the stop is latched.
    pub(super) fn read_stopped(&mut self) {
        self.group.notice_stopped = false;
        self.begin_drain();
    }

    fn begin_drain(&mut self) {
        if self.group.stage == Stage::Running {
            self.push(&[
                Op::Enter(Stage::Draining),
                Op::Stop(Stopping::Foreground),
                Op::Tell {
                    all: false,
                    next: 0,
                },
                Op::Settle,
            ]);
        }
    }

    /// The supervisor reads that no service keeps the group alive.
    pub(super) fn read_quiet(&mut self) {
        self.group.notice_quiet = false;
        self.push(&[Op::Settle]);
    }

    /// The supervisor cancels the group: its time is over, or a second signal has come.
    pub(super) fn cancel_all(&mut self) {
        self.push(&[Op::CancelPlan, Op::CancelNext]);
        self.begin_drain();
    }

    /// The supervisor gives up those that were cancelled and are still there.
    pub(super) fn abandon_all(&mut self) {
        self.group.is_hasty = true;
        self.push(&[
            Op::Stop(Stopping::All),
            Op::Abandon { next: 0 },
            Op::Conclude,
        ]);
    }

    /// The future of `run` is dropped.
    pub(super) fn drop_run(&mut self) {
        self.latch();
        self.group.is_hasty = true;
        self.push(&[
            Op::CancelPlan,
            Op::Stop(Stopping::All),
            Op::Tell { all: true, next: 0 },
            Op::CancelNext,
            Op::Enter(Stage::Dropped),
        ]);
    }

    /// Takes the next step of the supervisor.
    pub(super) fn supervise(&mut self) {
        let Some(op) = self.group.ops.pop() else {
            return;
        };
        match op {
            Op::Enter(stage) => self.group.stage = stage,
            Op::Stop(whom) => self.stop_plan(whom),
            Op::CancelPlan => self.rules.plan.cancel(),
            Op::Settle => self.settle(),
            Op::CancelNext => self.cancel_next(),
            Op::Conclude => self.conclude(),
            Op::Tell { next, .. } | Op::Cancel { next } | Op::Abandon { next } => {
                if next < self.group.services.len() {
                    self.for_next(op, next);
                }
            }
        }
    }

    /// Does for a service what is done for all, and has the next follow.
    fn for_next(&mut self, op: Op, index: usize) {
        let next = index + 1;
        match op {
            Op::Tell { all, .. } => {
                self.push(&[Op::Tell { all, next }]);
                if all || !self.is_last(index) {
                    self.stop_unless_needed(index);
                }
            }
            Op::Cancel { .. } => {
                self.push(&[Op::Cancel { next }]);
                self.cancel(index);
            }
            _ => {
                self.push(&[Op::Abandon { next }]);
                self.abandon(index);
            }
        }
    }

    fn settle(&mut self) {
        if !self.group.is_quiet() {
            return;
        }
        match self.group.stage {
            Stage::Running => self.latch(),
            Stage::Draining => {
                self.push(&[Op::Stop(Stopping::All), Op::Tell { all: true, next: 0 }])
            }
            Stage::Cancelling => self.push(&[Op::CancelNext]),
            Stage::Dropped | Stage::Over => {}
        }
    }

    fn cancel_next(&mut self) {
        let all = self.group.is_quiet();
        self.push(&[
            Op::Tell { all, next: 0 },
            Op::Cancel { next: 0 },
            Op::Enter(Stage::Cancelling),
        ]);
        if all {
            self.push(&[Op::Stop(Stopping::All)]);
        }
    }

    fn conclude(&mut self) {
        if self.group.services.iter().all(Service::is_gone) {
            self.group.stage = Stage::Over;
        } else {
            self.push(&[
                Op::Stop(Stopping::All),
                Op::Tell { all: true, next: 0 },
                Op::CancelNext,
            ]);
        }
    }
}
