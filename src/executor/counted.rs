//! A poll that counts as busy by a clock that is moved by hand.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::scheduler::wake;
use crate::sync::{Mutex, lock};
use crate::time::activity::Activity;

/// Has a task count as busy from its spawn, and from each wake, until the poll that follows has
/// returned. Dropping it counts the task out.
///
/// A task has one only if its group goes by a clock that is moved by hand.
pub(crate) struct Counted {
    waker: Arc<CountedWaker>,
}

/// The waker of a counted task, around that of the executor.
struct CountedWaker {
    activity: Activity,
    state: Mutex<CountedState>,
}

struct CountedState {
    turn: Turn,

    /// What wakes the task; `None` until it has been polled, and once it has ended.
    inner: Option<Waker>,
}

/// Whether a task counts as busy: it does unless it is idle or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It was spawned or woken, and will be polled.
    Due,

    /// It is being polled, and was not woken since that began.
    Polled,

    /// It waits.
    Idle,

    Ended,
}

impl Counted {
    /// Counts a task in that is about to be spawned.
    pub(crate) fn new(activity: &Activity) -> Counted {
        activity.enter();
        let state = CountedState {
            turn: Turn::Due,
            inner: None,
        };
        Counted {
            waker: Arc::new(CountedWaker {
                activity: activity.clone(),
                state: Mutex::new(state),
            }),
        }
    }

    /// Polls the task with a waker that counts.
    pub(crate) fn poll<R>(
        &self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        self.waker.begin_poll(cx.waker());
        let waker = Waker::from(Arc::clone(&self.waker));
        let polled = poll(&mut Context::from_waker(&waker));
        if polled.is_ready() {
            self.waker.end();
        } else {
            self.waker.end_poll();
        }
        polled
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.waker.end();
    }
}

impl CountedWaker {
    fn begin_poll(&self, waker: &Waker) {
        let mut state = lock(&self.state);
        if state.turn == Turn::Idle {
            self.activity.enter();
        }
        state.turn = Turn::Polled;
        if !state
            .inner
            .as_ref()
            .is_some_and(|inner| inner.will_wake(waker))
        {
            let old = state.inner.replace(waker.clone());
            // Dropped outside the lock: the drop of a waker may run any code.
            drop(state);
            drop(old);
        }
    }

    /// Counts the task out, unless it was woken while it was polled.
    fn end_poll(&self) {
        let mut state = lock(&self.state);
        if state.turn == Turn::Polled {
            state.turn = Turn::Idle;
            drop(state);
            self.activity.leave();
        }
    }

    /// Counts the task out for good.
    fn end(&self) {
        let mut state = lock(&self.state);
        let turn = std::mem::replace(&mut state.turn, Turn::Ended);
        let inner = state.inner.take();
        drop(state);
        drop(inner);
        if matches!(turn, Turn::Due | Turn::Polled) {
            self.activity.leave();
        }
    }
}

impl Wake for CountedWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        match state.turn {
            Turn::Ended => return,
            Turn::Idle => self.activity.enter(),
            Turn::Due | Turn::Polled => {}
        }
        state.turn = Turn::Due;
        let inner = state.inner.clone();
        drop(state);
        inner.into_iter().for_each(wake);
    }
}
