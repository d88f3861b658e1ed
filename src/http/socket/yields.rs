//! The tasks that let others have their turn.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::executor::panic::catch;

/// The tasks that let others have their turn.
///
/// A task that wakes itself while it is polled goes to the end of most executors' queues. Some poll it
/// again at once, the thread pool of futures-executor among them, and then no other has a turn. So
/// another task wakes those that yield: the one that accepts, which has its turn after those before it.
#[derive(Default)]
pub(in crate::http) struct Yields(Mutex<State>);

#[derive(Default)]
struct State {
    /// Those that have yielded since the caller had its turn.
    yielded: Vec<Waker>,
    /// What wakes the caller; `None` while there is none.
    caller: Option<Waker>,
}

impl Yields {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a task woken after others had their turn.
    pub(super) fn add(&self, task: &Waker) {
        let mut state = self.lock();
        let Some(caller) = state.caller.clone() else {
            drop(state);
            task.wake_by_ref();
            return;
        };
        let is_first = state.yielded.is_empty();
        state.yielded.push(task.clone());
        drop(state);
        // The others find the caller woken already.
        if is_first {
            caller.wake();
        }
    }

    /// Runs a future, in whose turns those are woken that have yielded.
    pub(in crate::http) async fn call_beside<F: Future>(&self, future: F) -> F::Output {
        let _ending = Ending(self);
        let (mut future, mut called) = (pin!(future), Vec::new());
        poll_fn(|cx| {
            let mut state = self.lock();
            std::mem::swap(&mut state.yielded, &mut called);
            let is_known = state.caller.as_ref();
            let is_known = is_known.is_some_and(|caller| caller.will_wake(cx.waker()));
            let old = match is_known {
                true => None,
                false => state.caller.replace(cx.waker().clone()),
            };
            drop(state);
            drop(old);
            called.drain(..).for_each(wake);
            future.as_mut().poll(cx)
        })
        .await
    }
}

/// Wakes a task. A panic of the user's executor ends here: the others are to be woken too.
fn wake(task: Waker) {
    let _ = catch(|| task.wake());
}

/// Wakes those that wait when the caller ends, whether it is done or dropped.
struct Ending<'y>(&'y Yields);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        let (caller, yielded) = (state.caller.take(), std::mem::take(&mut state.yielded));
        drop(state);
        drop(caller);
        yielded.into_iter().for_each(wake);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct Panics;

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("as asked");
        }
    }

    #[test]
    fn a_waker_that_panics_keeps_none_of_the_others_asleep() {
        let tasks = Arc::new(Count::default());
        let (good, bad) = (
            Waker::from(Arc::clone(&tasks)),
            Waker::from(Arc::new(Panics)),
        );
        let yields = Yields::default();
        let mut cx = Context::from_waker(Waker::noop());
        let mut calling = Box::pin(yields.call_beside(std::future::pending::<()>()));
        assert!(calling.as_mut().poll(&mut cx).is_pending());
        [&bad, &good].into_iter().for_each(|task| yields.add(task));
        assert!(calling.as_mut().poll(&mut cx).is_pending());
        [&bad, &bad, &good]
            .into_iter()
            .for_each(|task| yields.add(task));
        drop(calling);
        assert_eq!(tasks.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn who_yields_is_woken_in_the_next_turn_of_the_caller_or_at_its_end() {
        let (tasks, caller) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let woken = |count: &Count| count.0.load(Ordering::Relaxed);
        let task = Waker::from(Arc::clone(&tasks));
        let yields = Yields::default();
        yields.add(&task);
        assert_eq!(woken(&tasks), 1, "there is no caller yet");
        let called = Waker::from(Arc::clone(&caller));
        let mut cx = Context::from_waker(&called);
        {
            let mut calling = pin!(yields.call_beside(std::future::pending::<()>()));
            assert!(calling.as_mut().poll(&mut cx).is_pending());
            yields.add(&task);
            yields.add(&task);
            assert_eq!((woken(&tasks), woken(&caller)), (1, 1));
            assert!(calling.as_mut().poll(&mut cx).is_pending());
            assert_eq!((woken(&tasks), woken(&caller)), (3, 1));
            yields.add(&task);
            assert_eq!((woken(&tasks), woken(&caller)), (3, 2));
        }
        assert_eq!(woken(&tasks), 4, "the caller has ended");
    }
}
