//! The token of a stop: waiting for it, as a future and as a thread.

use std::pin::pin;
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future;
use neap::{Cause, StopSource};

use crate::runtimes::limited;
use crate::support::{CountingWaker, Notes, poll};

#[test]
fn g14_run_until_stopped_does_not_poll_once_stopped() {
    limited(|| {
        let source = StopSource::new();
        source.stop(Cause::Requested);
        let token = source.token();
        let polled = token.run_until_stopped(async { panic!("polled") });
        assert_eq!(future::block_on(polled), None::<()>);
    });
}

#[test]
fn g14_otherwise_a_finished_result_wins_a_tie() {
    limited(|| {
        let source = StopSource::new();
        let token = source.token();
        let stopping = future::poll_fn(|_| {
            source.stop(Cause::Requested);
            Poll::Ready(7)
        });
        assert_eq!(future::block_on(token.run_until_stopped(stopping)), Some(7));
    });
}

#[test]
fn g14_the_future_is_dropped_at_the_stop() {
    limited(|| {
        let source = StopSource::new();
        let token = source.token();
        let notes = Notes::new();
        let guard = notes.on_drop("dropped");
        let mut running = pin!(token.run_until_stopped(async move {
            let _guard = guard;
            future::pending::<()>().await;
        }));
        assert_eq!(future::block_on(future::poll_once(running.as_mut())), None);
        source.stop(Cause::Requested);
        assert_eq!(future::block_on(running), None);
        assert_eq!(notes.all(), ["dropped"]);
    });
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
    let wakers = [(); 2].map(|()| Arc::new(CountingWaker::default()));
    for waker in &wakers {
        assert!(poll(pin!(&mut wait), waker).is_pending());
    }
    source.stop(Cause::Requested);
    assert_eq!(wakers.map(|waker| waker.count()), [0, 1]);
}

#[test]
fn a_dropped_wait_leaves_no_listener_behind() {
    let source = StopSource::new();
    let waker = Arc::new(CountingWaker::default());
    {
        let mut wait = pin!(source.token().stopped());
        assert!(poll(wait.as_mut(), &waker).is_pending());
        assert!(Arc::strong_count(&waker) > 1, "it waits");
    }
    assert_eq!(Arc::strong_count(&waker), 1, "its waker is gone");
    source.stop(Cause::Requested);
    assert_eq!(waker.count(), 0);
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
