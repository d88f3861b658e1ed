//! Models of the count of children, for loom.

use std::sync::Arc;

use loom::sync::Notify;
use loom::thread;

use super::children::{Children, Left};
use crate::sync::{AtomicUsize, Ordering};

/// A service with children. Its task waits for the end of the last one.
struct Parent {
    children: Children,

    /// How many children have done their work.
    done: AtomicUsize,

    task: Notify,

    /// How often it was ended by the last child.
    ended: AtomicUsize,
}

impl Parent {
    fn new() -> Arc<Parent> {
        Arc::new(Parent {
            children: Children::new(),
            done: AtomicUsize::new(0),
            task: Notify::new(),
            ended: AtomicUsize::new(0),
        })
    }

    /// What a child does at its end.
    fn leave(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        match self.children.leave() {
            Left::Nothing => {}
            Left::Awaited => self.task.notify(),
            Left::Orphaned => self.end_orphaned(),
        }
    }

    /// What is done when the task of the service is dropped.
    fn end_orphaned(&self) {
        if self.children.join_orphaned() {
            self.ended.fetch_add(1, Ordering::Relaxed);
            assert!(!self.children.enter());
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

#[test]
fn a_service_whose_task_was_dropped_ends_once_with_its_last_child() {
    loom::model(|| {
        let parent = Parent::new();
        assert!(parent.children.enter() && parent.children.enter());
        let children = [(); 2].map(|()| {
            let parent = Arc::clone(&parent);
            thread::spawn(move || parent.leave())
        });
        // It may be dropped while it waits for its children, or before.
        if !parent.children.join() {
            parent.end_orphaned();
        } else {
            parent.ended.fetch_add(1, Ordering::Relaxed);
        }
        children.map(|child| child.join().unwrap());
        assert_eq!(
            (parent.done(), parent.ended.load(Ordering::Relaxed)),
            (2, 1)
        );
    });
}

#[test]
fn one_that_enters_as_the_task_is_dropped_ends_the_service_or_is_refused() {
    loom::model(|| {
        let parent = Parent::new();
        let same = Arc::clone(&parent);
        let entering = thread::spawn(move || {
            if same.children.enter() {
                same.leave();
            }
        });
        parent.end_orphaned();
        entering.join().unwrap();
        assert_eq!(parent.ended.load(Ordering::Relaxed), 1);
    });
}
