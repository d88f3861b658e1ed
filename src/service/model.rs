//! Models of the count of children, for loom.

use std::sync::Arc;

use loom::sync::Notify;
use loom::thread;

use super::children::Children;
use crate::sync::{AtomicUsize, Ordering};

/// A service with children. Its task waits for the end of the last one.
struct Parent {
    children: Children,

    /// How many children have done their work.
    done: AtomicUsize,

    task: Notify,
}

impl Parent {
    fn new() -> Arc<Parent> {
        Arc::new(Parent {
            children: Children::new(),
            done: AtomicUsize::new(0),
            task: Notify::new(),
        })
    }

    /// What a child does at its end.
    fn leave(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        if self.children.leave() {
            self.task.notify();
        }
    }

    /// What the task of the service does once its own future is done.
    fn join(&self) {
        while !self.children.join() {
            self.task.wait();
        }
    }

    fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }
}

#[test]
fn the_service_is_woken_once_both_children_have_ended() {
    loom::model(|| {
        let parent = Parent::new();
        assert!(parent.children.enter() && parent.children.enter());
        for _ in 0..2 {
            let parent = Arc::clone(&parent);
            thread::spawn(move || parent.leave());
        }
        parent.join();
        assert_eq!((parent.done(), parent.children.count()), (2, 0));
    });
}

#[test]
fn a_child_enters_before_the_end_or_not_at_all() {
    loom::model(|| {
        let parent = Parent::new();
        let same = Arc::clone(&parent);
        let entering = thread::spawn(move || {
            let has_entered = same.children.enter();
            if has_entered {
                same.leave();
            }
            has_entered
        });
        parent.join();
        let done = parent.done();
        assert_eq!(done, usize::from(entering.join().unwrap()));
        assert!(!parent.children.enter() && parent.children.count() == 0);
    });
}

#[test]
fn a_child_of_a_child_is_waited_for() {
    loom::model(|| {
        let parent = Parent::new();
        assert!(parent.children.enter());
        let same = Arc::clone(&parent);
        thread::spawn(move || {
            // As long as it is there itself, it is taken in.
            assert!(same.children.enter());
            let parent = Arc::clone(&same);
            thread::spawn(move || parent.leave());
            same.leave();
        });
        parent.join();
        assert_eq!(parent.done(), 2);
    });
}
