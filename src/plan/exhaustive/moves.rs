//! What can happen next in a small group.

use super::data::{Next, Service, Stage};
use super::world::World;
use crate::service::lifecycle::{Flag, Phase};

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Open,
    Admit { needs: u8, is_background: bool },
    Go(usize),
    Poll(usize),
    Ready(usize),
    Finish(usize),
    Fail(usize),
    Drop(usize),
    Deadline(usize),
    StopOne(usize),
    CancelOne(usize),
    FailIgnored(usize),
    StopAll,
    Supervise,
    ReadStopped,
    ReadQuiet,
    Cancel,
    Abandon,
    DropRun,
}

/// What happens to the groups of a search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// How many services are added by a handle, at any time.
    pub(super) late: usize,

    /// True if the steps of what takes more than one are taken apart.
    pub(super) fine: bool,

    /// True if a group is cancelled, and gives up those that are still there.
    pub(super) cancel: bool,

    /// True if services are stopped one by one.
    pub(super) stop_one: bool,

    /// True if services are cancelled one by one, and fail without a stop of the group.
    pub(super) alone: bool,

    /// True if an executor drops services, services miss their own deadlines, and the future of
    /// `run` is dropped.
    pub(super) abuse: bool,
}

/// What can happen next, and whether it does without a further cause: if all services that are told
/// to stop do so, and every task that is woken is polled.
type Moves = Vec<(Move, bool)>;

impl World {
    /// Returns all that can happen next.
    pub(super) fn moves(&self, scope: &Scope, initial: usize) -> Moves {
        let mut moves = Vec::new();
        self.supervisor_moves(scope, &mut moves);
        for index in 0..self.group.services.len() {
            self.service_moves(scope, index, initial, &mut moves);
        }
        if !self.group.is_stopped {
            moves.push((Move::StopAll, false));
        }
        let count = self.group.services.len();
        if count < initial + scope.late {
            // After the stop it is refused, and all that is left of it is what the plan has
            // taken in.
            let first = if self.group.is_stopped {
                (2 << count) - 2
            } else {
                0
            };
            let last = if self.group.is_stopped {
                first
            } else {
                first + (2 << count) - 1
            };
            for choice in first..=last {
                let (needs, is_background) = (choice >> 1, choice & 1 == 1);
                moves.push((
                    Move::Admit {
                        needs,
                        is_background,
                    },
                    false,
                ));
            }
        }
        moves
    }

    fn supervisor_moves(&self, scope: &Scope, moves: &mut Moves) {
        let group = &self.group;
        if !group.ops.is_empty() {
            moves.push((Move::Supervise, true));
            return;
        }
        if matches!(group.stage, Stage::Over | Stage::Dropped) {
            return;
        }
        if !group.is_open {
            moves.push((Move::Open, true));
            return;
        }
        if group.notice_stopped {
            moves.push((Move::ReadStopped, true));
        }
        if group.notice_quiet {
            moves.push((Move::ReadQuiet, true));
        }
        let is_cancelling = group.stage == Stage::Cancelling;
        if scope.cancel && group.is_stopped && !is_cancelling {
            moves.push((Move::Cancel, false));
        }
        if scope.cancel && is_cancelling {
            moves.push((Move::Abandon, false));
        }
        if scope.abuse {
            moves.push((Move::DropRun, false));
        }
    }

    fn service_moves(&self, scope: &Scope, index: usize, initial: usize, moves: &mut Moves) {
        let service = self.at(index);
        if service.next != Next::Nothing {
            moves.push((Move::Go(index), true));
            return;
        }
        if service.has_left || !(self.group.is_open || index >= initial) {
            return;
        }
        let is_told = !service.is_untold() || service.has_failed;
        match service.phase() {
            Phase::Waiting => moves.push((Move::Poll(index), !service.is_held())),
            Phase::Refused => moves.push((Move::Poll(index), true)),
            Phase::Running | Phase::Stopping => {
                let is_stopped = self.group.is_stopped;
                if !service.has(Flag::Ready) && !service.has_failed && (scope.fine || !is_stopped) {
                    moves.push((Move::Ready(index), false));
                }
                if !is_stopped {
                    moves.push((Move::Fail(index), false));
                }
                moves.push((Move::Finish(index), is_told));
                if service.phase() == Phase::Stopping && !(is_stopped && service.has(Flag::Ready)) {
                    // One that is raced against its stop.
                    moves.push((Move::Drop(index), false));
                }
            }
            Phase::Cancelled | Phase::Abandoned => {
                moves.push((Move::Drop(index), true));
                if !service.has(Flag::Ready) {
                    moves.push((Move::Finish(index), false));
                }
            }
            Phase::Finished | Phase::Dropped => {}
        }
        self.odd_moves(scope, index, service, moves);
    }

    fn odd_moves(&self, scope: &Scope, index: usize, service: &Service, moves: &mut Moves) {
        if scope.stop_one && !service.stops_alone && !service.is_gone() {
            moves.push((Move::StopOne(index), false));
        }
        let is_cancelled = service.cancels_alone || service.lifecycle.is_cancelled();
        if scope.alone && !is_cancelled && !service.is_gone() {
            moves.push((Move::CancelOne(index), false));
        }
        let runs = matches!(service.phase(), Phase::Running | Phase::Stopping);
        if scope.alone && runs && !service.has_failed {
            moves.push((Move::FailIgnored(index), false));
        }
        if scope.abuse && service.phase() == Phase::Stopping {
            moves.push((Move::Deadline(index), false));
        }
        if scope.abuse && service.is_untold() {
            moves.push((Move::Drop(index), false));
        }
    }

    /// Takes a move, with all that follows at once.
    pub(super) fn take(&mut self, next: Move, scope: &Scope) {
        match next {
            Move::Open => self.open(),
            Move::Admit {
                needs,
                is_background,
            } => self.admit(needs, is_background),
            Move::Go(index) => self.go(index),
            Move::Poll(index) => self.begin_poll(index),
            Move::Ready(index) => self.ready(index),
            Move::Finish(index) => self.at_mut(index).next = Next::End { finished: true },
            Move::Drop(index) => self.drop_task(index),
            Move::Fail(index) => {
                self.at_mut(index).has_failed = true;
                self.latch();
            }
            Move::Deadline(index) => self.cancel(index),
            Move::StopOne(index) => self.stop_one(index),
            Move::CancelOne(index) => self.cancel_one(index),
            Move::FailIgnored(index) => self.fail_ignored(index),
            Move::StopAll => self.latch(),
            Move::Supervise => self.supervise(),
            Move::ReadStopped => self.read_stopped(),
            Move::ReadQuiet => self.read_quiet(),
            Move::Cancel => self.cancel_all(),
            Move::Abandon => self.abandon_all(),
            Move::DropRun => self.drop_run(),
        }
        if !scope.fine {
            self.finish();
        }
    }

    /// The executor drops the task of a service, which is a failure unless it was to end.
    fn drop_task(&mut self, index: usize) {
        if self.at(index).is_untold() {
            self.at_mut(index).has_failed |= !self.group.is_stopped;
            self.latch();
        }
        self.at_mut(index).next = Next::End { finished: false };
    }

    /// Takes all steps of what takes more than one.
    fn finish(&mut self) {
        for index in 0..self.group.services.len() {
            while self.at(index).next != Next::Nothing {
                self.go(index);
            }
        }
        while !self.group.ops.is_empty() {
            self.supervise();
        }
    }
}
