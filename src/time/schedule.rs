//! The time of a clock that is moved by hand, and those that sleep by it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;
use std::time::{Duration, Instant};

use super::activity::Activity;
use crate::sync::{Mutex, MutexGuard, lock};

/// What the clones of a clock share.
pub(crate) struct Schedule {
    start: Instant,
    state: Mutex<ScheduleState>,

    /// Counts what is busy in the groups that go by this clock.
    pub(super) activity: Activity,
}

struct ScheduleState {
    /// How far the clock was moved, in nanoseconds.
    moved: u64,

    /// How far it will be moved once each call of `advance` has had its effect.
    goal: u64,

    /// How many rests there had been when the clock was last moved.
    rests: u64,

    /// The number of the next sleeper.
    next: u64,

    /// The wakers of those that sleep, by their end and then by their number.
    sleepers: BTreeMap<(u64, u64), Waker>,
}

/// What came of an attempt to move the clock on.
pub(super) enum Step {
    /// Not all that was due has run.
    Busy,

    /// It woke a sleeper.
    Woke,

    /// It is where it was to go.
    Arrived,
}

impl Schedule {
    pub(super) fn new() -> Schedule {
        Schedule {
            start: Instant::now(),
            state: Mutex::new(ScheduleState {
                moved: 0,
                goal: 0,
                rests: 0,
                next: 0,
                sleepers: BTreeMap::new(),
            }),
            activity: Activity::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, ScheduleState> {
        lock(&self.state)
    }

    pub(super) fn now(&self) -> Instant {
        self.start + self.moved()
    }

    /// Returns how far the clock was moved.
    pub(super) fn moved(&self) -> Duration {
        Duration::from_nanos(self.lock().moved)
    }

    /// Returns an instant as nanoseconds by this clock; `None` if it does not get there.
    pub(super) fn nanos_at(&self, at: Instant) -> Option<u64> {
        let since = at.saturating_duration_since(self.start);
        u64::try_from(since.as_nanos()).ok()
    }

    /// Returns true if this time has come. If not, the waker is woken then.
    ///
    /// `number` is that of the sleeper, once it has one.
    pub(super) fn poll(&self, at: u64, number: &mut Option<u64>, waker: &Waker) -> bool {
        let mut state = self.lock();
        if state.moved >= at {
            drop(state);
            self.forget(at, number);
            return true;
        }
        let number = *number.get_or_insert(state.next);
        state.next = state.next.max(number + 1);
        let known = state.sleepers.get(&(at, number));
        if !known.is_some_and(|known| known.will_wake(waker)) {
            let old = state.sleepers.insert((at, number), waker.clone());
            // Dropped outside the lock: the drop of a waker may run any code.
            drop(state);
            drop(old);
        }
        false
    }

    /// Forgets a sleeper, if it has a number.
    pub(super) fn forget(&self, at: u64, number: &mut Option<u64>) {
        if let Some(number) = number.take() {
            let old = self.lock().sleepers.remove(&(at, number));
            // Dropped outside the lock, as above.
            drop(old);
        }
    }

    /// Adds to how far the clock will be moved; returns how far that is.
    pub(super) fn extend(&self, by: u64) -> u64 {
        let mut state = self.lock();
        state.goal = state.goal.saturating_add(by);
        state.goal
    }

    /// Asks for one more rest before the next step.
    pub(super) fn await_rest(&self) {
        self.lock().rests = self.activity.rests();
    }

    /// Returns true if all that was due by now has run.
    pub(super) fn is_at_rest(&self) -> bool {
        self.activity.has_rested_since(self.lock().rests)
    }

    /// Moves the clock to the end of the first sleeper that ends by `goal`, and wakes that one; but
    /// not before all that was due has run.
    ///
    /// The look and the move are one step: of two that have waited for the same rest, one moves the
    /// clock, and the other has to wait for the next rest.
    pub(super) fn step(&self, goal: u64) -> Step {
        let mut state = self.lock();
        if !self.activity.has_rested_since(state.rests) {
            return Step::Busy;
        }
        let first = state.sleepers.first_entry();
        let Some(first) = first.filter(|first| first.key().0 <= goal) else {
            state.moved = state.moved.max(goal);
            return Step::Arrived;
        };
        let ((at, _), waker) = first.remove_entry();
        state.moved = state.moved.max(at);
        self.wake(state, vec![waker]);
        Step::Woke
    }

    /// Moves the clock to the end of the first sleeper, wherever that is, and wakes that one; but not
    /// before all that was due has run. It has arrived if nobody sleeps.
    pub(super) fn step_to_next(&self) -> Step {
        let goal = {
            let mut state = self.lock();
            let first = state.sleepers.first_key_value().map(|((at, _), _)| *at);
            let goal = first.unwrap_or(state.moved);
            state.goal = state.goal.max(goal);
            goal
        };
        self.step(goal)
    }

    /// Moves the clock at once, and wakes all whose time has come.
    pub(super) fn jump(&self, goal: u64) {
        let mut state = self.lock();
        state.moved = state.moved.max(goal);
        let mut due = Vec::new();
        while let Some(first) = state.sleepers.first_entry() {
            if first.key().0 > goal {
                break;
            }
            due.push(first.remove());
        }
        if !due.is_empty() {
            self.wake(state, due);
        }
    }

    /// Wakes sleepers, outside the lock. This counts as busy: from the move on there is no rest
    /// until they have all been woken, and have run.
    fn wake(&self, mut state: MutexGuard<'_, ScheduleState>, wakers: Vec<Waker>) {
        self.activity.enter();
        state.rests = self.activity.rests();
        drop(state);
        for waker in wakers {
            // It may run any code. A panic of it is not to keep the others asleep.
            let woken = catch_unwind(AssertUnwindSafe(|| waker.wake()));
            // Leaked, as the drop of a panic's payload may panic again.
            woken.unwrap_or_else(std::mem::forget);
        }
        self.activity.leave();
    }
}
