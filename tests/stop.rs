//! The stop: latched, one cause, nobody missed.

mod runtimes;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future;
use neap::{Cause, StopSource};
use runtimes::limited;

/// A waker that counts how often it was woken.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn g4_the_stop_is_latched_and_the_first_cause_wins() {
    let source = StopSource::new();
    assert_eq!((source.is_stopped(), source.cause()), (false, None));
    assert!(source.stop(Cause::Requested));
    assert!(!source.stop(Cause::Ended));
    assert_eq!(source.token().cause(), Some(Cause::Requested));
    assert_eq!(future::block_on(source.token().stopped()), Cause::Requested);
}

#[test]
fn g4_the_cause_is_readable_before_any_waiter_wakes() {
    /// Looks at the token when it is woken.
    struct Look(neap::StopToken, AtomicUsize);
    impl Wake for Look {
        fn wake(self: Arc<Self>) {
            assert_eq!(self.0.cause(), Some(Cause::Requested));
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    let parent = StopSource::new();
    let child = parent.child();
    let looks = [parent.token(), child.token()].map(|token| Arc::new(Look(token, 0.into())));
    let mut waits: Vec<_> = looks
        .iter()
        .map(|look| Box::pin(look.0.stopped()))
        .collect();
    for (look, wait) in looks.iter().zip(&mut waits) {
        let waker = Waker::from(Arc::clone(look));
        assert!(
            wait.as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    parent.stop(Cause::Requested);
    assert!(looks.iter().all(|look| look.1.load(Ordering::SeqCst) == 1));
}

#[test]
fn g4_children_stop_with_their_parent_and_never_stop_it() {
    let parent = StopSource::new();
    let (first, second) = (parent.child(), parent.child());
    let grandchild = second.token().child();
    first.stop(Cause::Ended);
    assert!(!parent.is_stopped() && !second.is_stopped() && !grandchild.is_stopped());
    parent.stop(Cause::Requested);
    assert_eq!(first.cause(), Some(Cause::Ended));
    assert_eq!(grandchild.cause(), Some(Cause::Requested));
}

#[test]
fn g4_a_child_of_a_stopped_source_is_born_stopped() {
    let source = StopSource::new();
    let deadline = Instant::now();
    source.stop_by(Cause::Requested, Some(deadline));
    let child = source.child();
    assert_eq!(child.cause(), Some(Cause::Requested));
    assert_eq!(child.token().deadline(), Some(deadline));
}

#[test]
fn g4_a_child_born_during_the_stop_is_not_missed() {
    limited(|| {
        for _ in 0..2_000 {
            let source = StopSource::new();
            let barrier = Arc::new(Barrier::new(2));
            let born = thread::spawn({
                let (source, barrier) = (source.clone(), Arc::clone(&barrier));
                move || {
                    barrier.wait();
                    source.child()
                }
            });
            barrier.wait();
            source.stop(Cause::Requested);
            assert!(born.join().unwrap().is_stopped());
        }
    });
}

#[test]
fn a_child_outlives_its_parent() {
    let parent = StopSource::new();
    let child = parent.child();
    let token = parent.token();
    drop(parent);
    token.child().stop(Cause::Ended);
    assert!(!child.is_stopped() && !token.is_stopped());
}

#[test]
fn g14_run_until_stopped_does_not_poll_once_stopped() {
    let source = StopSource::new();
    source.stop(Cause::Requested);
    let token = source.token();
    let polled = token.run_until_stopped(async { panic!("polled") });
    assert_eq!(future::block_on(polled), None::<()>);
}

#[test]
fn g14_otherwise_a_finished_result_wins_a_tie() {
    let source = StopSource::new();
    let token = source.token();
    let stopping = future::poll_fn(|_| {
        source.stop(Cause::Requested);
        Poll::Ready(7)
    });
    assert_eq!(future::block_on(token.run_until_stopped(stopping)), Some(7));
}

#[test]
fn g14_the_future_is_dropped_at_the_stop() {
    let source = StopSource::new();
    let token = source.token();
    let recorder = runtimes::Recorder::new();
    let guard = recorder.on_drop("dropped");
    let mut running = pin!(token.run_until_stopped(async move {
        let _guard = guard;
        future::pending::<()>().await;
    }));
    assert_eq!(future::block_on(future::poll_once(running.as_mut())), None);
    source.stop(Cause::Requested);
    assert_eq!(future::block_on(running), None);
    assert_eq!(recorder.events(), ["dropped"]);
}

#[test]
fn no_wake_up_is_lost() {
    limited(|| {
        for round in 0..500 {
            let source = StopSource::new();
            let barrier = Arc::new(Barrier::new(4));
            let waits: Vec<_> = (0..3)
                .map(|waiter| {
                    let (token, barrier) = (source.token(), Arc::clone(&barrier));
                    thread::spawn(move || {
                        barrier.wait();
                        match waiter {
                            0 => future::block_on(token.stopped()),
                            1 => token.wait_blocking(),
                            _ => token.wait_blocking_timeout(Duration::MAX).unwrap(),
                        }
                    })
                })
                .collect();
            barrier.wait();
            if round % 2 == 0 {
                thread::yield_now();
            }
            source.stop(Cause::Requested);
            for wait in waits {
                assert_eq!(wait.join().unwrap(), Cause::Requested);
            }
        }
    });
}

#[test]
fn the_last_waker_is_the_one_that_is_woken() {
    let source = StopSource::new();
    let mut wait = source.token().stopped();
    let counters = [Arc::new(Counter::default()), Arc::new(Counter::default())];
    for counter in &counters {
        let waker = Waker::from(Arc::clone(counter));
        assert!(
            pin!(&mut wait)
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    source.stop(Cause::Requested);
    let woken = counters
        .each_ref()
        .map(|counter| counter.0.load(Ordering::SeqCst));
    assert_eq!(woken, [0, 1]);
}

#[test]
fn a_dropped_wait_leaves_no_listener_behind() {
    let source = StopSource::new();
    let counter = Arc::new(Counter::default());
    {
        let waker = Waker::from(Arc::clone(&counter));
        let mut wait = pin!(source.token().stopped());
        assert!(
            wait.as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        assert!(Arc::strong_count(&counter) > 2, "it waits");
    }
    assert_eq!(Arc::strong_count(&counter), 1, "nobody has its waker");
    source.stop(Cause::Requested);
    assert_eq!(counter.0.load(Ordering::SeqCst), 0);
}

#[test]
fn a_blocking_wait_with_a_limit_ends_at_the_limit() {
    let source = StopSource::new();
    let (token, limit, begin) = (source.token(), Duration::from_millis(5), Instant::now());
    assert_eq!(token.wait_blocking_timeout(limit), None);
    assert!(begin.elapsed() >= limit);
    assert_eq!(token.wait_blocking_timeout(Duration::ZERO), None);
    source.stop(Cause::Requested);
    assert_eq!(
        token.wait_blocking_timeout(Duration::ZERO),
        Some(Cause::Requested)
    );
}

#[test]
fn a_scope_s_stop_reaches_whoever_waits_and_wherever() {
    // The fast way is for the service's own task; a nested executor within it, a child, a thread
    // and a combinator with wakers of its own have to be reached as well.
    runtimes::on_all(|runtime| async move {
        let mut group = runtime.group();
        let (handle, recorder) = (group.handle(), runtimes::Recorder::new());
        let noting = recorder.clone();
        group.add("service", move |scope| async move {
            let (child, inner, note) = (scope.clone(), scope.clone(), noting.clone());
            scope.spawn(async move {
                child.stopped().await;
                note.note("told");
            });
            let token = scope.token();
            let thread = thread::spawn(move || token.wait_blocking());
            let executor = async_executor::Executor::new();
            let nested = executor.spawn(async move {
                inner.stopped().await;
            });
            handle.stop();
            executor.run(nested).await;
            noting.note("told");
            scope.stopped().await;
            assert_eq!(thread.join().unwrap(), Cause::Requested);
            noting.note("told");
        });
        group.run().await.unwrap();
        assert_eq!(recorder.events(), ["told"; 3]);
    });
}
