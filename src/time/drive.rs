//! A future that is run on one thread while a clock moves by itself.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use super::schedule::{Schedule, Step};

/// How often a future may be polled before the clock moves, where it is given up else.
const MOST_POLLS: usize = 200_000;

/// Why a future was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GivenUp {
    /// It waits, and nobody sleeps by the clock.
    Waits,
    /// It is woken again and again, so that the clock never moves.
    Spins,
}

/// Polls a future until it is ready. Whenever all that goes by the clock has come to rest, the clock
/// moves to the end of the next sleep.
///
/// If the future waits and nobody sleeps, it waits for another thread, a socket or the real time.
///
/// # Errors
///
/// Only if it is to give up: what would otherwise take for ever.
pub(super) fn drive<F: Future>(
    schedule: &Schedule,
    mut future: Pin<&mut F>,
    gives_up: bool,
) -> Result<F::Output, GivenUp> {
    let signal = Arc::new(Signal {
        was_woken: AtomicBool::new(true),
        thread: thread::current(),
    });
    let waker = Waker::from(Arc::clone(&signal));
    let mut cx = Context::from_waker(&waker);
    loop {
        let mut polls = 0;
        while signal.was_woken.swap(false, Ordering::Acquire) {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return Ok(output);
            }
            polls += 1;
            if gives_up && polls == MOST_POLLS {
                return Err(GivenUp::Spins);
            }
        }
        match schedule.step_to_next() {
            Step::Woke => continue,
            Step::Arrived if gives_up => return Err(GivenUp::Waits),
            Step::Arrived | Step::Busy => {}
        }
        // Check, listen, check again, wait.
        let mut rest = schedule.activity.listen();
        if matches!(schedule.step_to_next(), Step::Woke) {
            continue;
        }
        if Pin::new(&mut rest).poll(&mut cx).is_pending() {
            while !signal.was_woken.load(Ordering::Acquire) {
                thread::park();
            }
        }
    }
}

/// Tells the thread of a future that the future was woken.
struct Signal {
    was_woken: AtomicBool,
    thread: Thread,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.was_woken.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}
