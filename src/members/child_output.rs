//! What a child returns, on its way to whoever awaits it.

use std::task::{Context, Poll, Waker};

use crate::executor::panic::catch;
use crate::sync::{Mutex, lock};

/// What a child returns, on its way to whoever awaits it.
pub(crate) struct ChildOutput<T>(Mutex<State<T>>);

enum State<T> {
    /// The child has not ended; who waits for it, if anyone does.
    Running(Option<Waker>),

    /// It has ended: with a value, which is taken once, or without.
    Ended(Option<T>),
}

impl<T> ChildOutput<T> {
    pub(crate) fn new() -> ChildOutput<T> {
        ChildOutput(Mutex::new(State::Running(None)))
    }

    /// Notes the end of the child, and wakes whoever awaits it.
    pub(super) fn set(&self, value: Option<T>) {
        let before = std::mem::replace(&mut *lock(&self.0), State::Ended(value));
        if let State::Running(Some(waker)) = before {
            // A waker may run any code.
            let _ = catch(|| waker.wake());
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(*lock(&self.0), State::Ended(_))
    }

    /// Takes the value once the child has ended.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        // Cloned before the lock is taken, and the old one dropped after: a waker may run any code.
        let mut waker = Some(cx.waker().clone());
        let mut state = lock(&self.0);
        let polled = match &mut *state {
            State::Running(waiting) => {
                std::mem::swap(waiting, &mut waker);
                Poll::Pending
            }
            State::Ended(value) => Poll::Ready(value.take()),
        };
        drop(state);
        drop(waker);
        polled
    }
}
