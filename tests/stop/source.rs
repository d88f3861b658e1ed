//! The source of a stop: latched, with one cause, and children.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::Wake;
use std::thread;
use std::time::Instant;

use futures_lite::future;
use neap::{Cause, StopSource};

use crate::runtimes::limited;
use crate::support::poll;

#[test]
fn g04_the_stop_is_latched_and_the_first_cause_wins() {
    limited(|| {
        let source = StopSource::new();
        assert_eq!((source.is_stopped(), source.cause()), (false, None));
        assert!(source.stop(Cause::Requested));
        assert!(!source.stop(Cause::Ended));
        assert_eq!(source.token().cause(), Some(Cause::Requested));
        assert_eq!(future::block_on(source.token().stopped()), Cause::Requested);
    });
}

#[test]
fn g04_the_cause_is_readable_before_any_waiter_wakes() {
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
        assert!(poll(wait.as_mut(), look).is_pending());
    }
    parent.stop(Cause::Requested);
    assert!(looks.iter().all(|look| look.1.load(Ordering::SeqCst) == 1));
}

#[test]
fn g04_children_stop_with_their_parent_and_never_stop_it() {
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
fn g04_a_child_of_a_stopped_source_is_born_stopped() {
    let source = StopSource::new();
    let deadline = Instant::now();
    source.stop_by(Cause::Requested, Some(deadline));
    let child = source.child();
    assert_eq!(child.cause(), Some(Cause::Requested));
    assert_eq!(child.token().deadline(), Some(deadline));
}

#[test]
fn g04_a_child_born_during_the_stop_is_not_missed() {
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
