//! A future that is run on one thread while a clock moves by itself.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use super::schedule::{Schedule, Step};

/// Polls a future until it is ready. Whenever all that goes by the clock has come to rest, the clock
/// moves to the end of the next sleep.
///
/// If the future waits and nobody sleeps, it waits for another thread, a socket or the real time; or it
/// gives up, if it is to, and returns `None`.
pub(super) fn drive<F: Future>(
    schedule: &Schedule,
    mut future: Pin<&mut F>,
    gives_up: bool,
) -> Option<F::Output> {
    let signal = Arc::new(Signal {
        was_woken: AtomicBool::new(true),
        thread: thread::current(),
    });
    let waker = Waker::from(Arc::clone(&signal));
    let mut cx = Context::from_waker(&waker);
    loop {
        while signal.was_woken.swap(false, Ordering::Acquire) {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return Some(output);
            }
        }
        match schedule.step_to_next() {
            Step::Woke => continue,
            Step::Arrived if gives_up => return None,
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
