//! Models of the latch and its tree, for loom.

use std::sync::Arc;
use std::time::Instant;

use loom::future::block_on;
use loom::thread;

use super::cause::Cause;
use super::latch::{Latch, Stop, Waiters};
use super::source::StopSource;

fn stop() -> Stop {
    Stop {
        cause: Cause::Requested,
        at: Instant::now(),
        deadline: None,
    }
}

fn set(latch: &Arc<Latch>) -> bool {
    latch.set(&stop()).map(Waiters::wake).is_some()
}

fn is_set(latch: &Latch) -> bool {
    latch.stop.get().is_some()
}

#[test]
fn when_stop_returns_all_below_are_stopped() {
    loom::model(|| {
        let top = Arc::new(Latch::new());
        let middle = top.child();
        let bottom = middle.child();
        let other = thread::spawn(move || set(&middle));
        if set(&top) {
            assert!(is_set(&bottom));
        }
        other.join().unwrap();
    });
}

#[test]
fn of_two_stops_one_is_news() {
    loom::model(|| {
        let latch = Arc::new(Latch::new());
        let same = Arc::clone(&latch);
        let other = thread::spawn(move || set(&same));
        let news = set(&latch);
        assert!(news != other.join().unwrap());
    });
}

#[test]
fn a_child_made_at_the_stop_is_stopped_with_its_own_children() {
    loom::model(|| {
        let top = Arc::new(Latch::new());
        let same = Arc::clone(&top);
        let other = thread::spawn(move || {
            let child = same.child();
            let is_late = is_set(&same);
            (child.child(), child, is_late)
        });
        assert!(set(&top));
        let (grandchild, child, _) = other.join().unwrap();
        assert!(is_set(&child) && is_set(&grandchild));
    });
}

#[test]
fn a_child_of_a_stopped_latch_is_born_stopped() {
    loom::model(|| {
        let top = Arc::new(Latch::new());
        let same = Arc::clone(&top);
        let other = thread::spawn(move || set(&same));
        let was_set = is_set(&top);
        let child = top.child();
        assert!(!was_set || is_set(&child));
        other.join().unwrap();
        assert!(is_set(&child));
    });
}

#[test]
fn a_latch_adopted_at_the_stop_is_stopped() {
    loom::model(|| {
        let top = Arc::new(Latch::new());
        let same = Arc::clone(&top);
        let other = thread::spawn(move || set(&same));
        let orphan = Arc::new(Latch::new());
        let below = orphan.child();
        if let Some(waiters) = top.adopt(&orphan) {
            waiters.wake();
        }
        other.join().unwrap();
        assert!(is_set(&orphan) && is_set(&below));
    });
}

#[test]
fn a_child_dropped_at_the_stop_leaves_its_siblings_be() {
    loom::model(|| {
        let top = Arc::new(Latch::new());
        let (first, second) = (top.child(), top.child());
        let same = Arc::clone(&top);
        let other = thread::spawn(move || {
            drop(first);
            same.child()
        });
        assert!(set(&top));
        let third = other.join().unwrap();
        assert!(is_set(&second) && is_set(&third));
    });
}

#[test]
fn one_that_waits_is_woken_by_the_stop_and_reads_its_cause() {
    loom::model(|| {
        let source = StopSource::new();
        let token = source.child().token();
        let waiting = thread::spawn(move || block_on(token.stopped()));
        source.stop(Cause::Requested);
        assert_eq!(waiting.join().unwrap(), Cause::Requested);
    });
}

#[test]
fn a_thread_that_waits_is_woken_by_the_stop() {
    loom::model(|| {
        let source = StopSource::new();
        let token = source.token();
        let waiting = thread::spawn(move || token.wait_blocking());
        source.stop(Cause::Requested);
        assert_eq!(waiting.join().unwrap(), Cause::Requested);
    });
}
