//! Models of the ready queue, of the wakers that fill it, and of the handles of tasks, for loom.
//!
//! The driver is a thread that polls as [`InPlace`](super::in_place) does. It sleeps for good, which
//! loom reports, if a wake-up is lost.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Wake};

use loom::future::block_on;
use loom::thread;

use super::host::Host;
use super::kept::{Keep, Kept};
use super::node::{Keyed, Node};
use super::ready_queue::{ReadyQueue, Turn};
use super::scheduler::Scheduler;
use crate::sync::{AtomicUsize, Ordering};

/// What the driver found to do.
enum Found {
    Turn,
    Sweep,
}

/// Drives until `is_done` says so of what was found.
fn drive(ready: &ReadyQueue, mut is_done: impl FnMut(Found) -> bool) {
    let mut turns = VecDeque::new();
    block_on(poll_fn(|cx| {
        ready.register(cx.waker());
        loop {
            if ready.take_sweep() {
                if is_done(Found::Sweep) {
                    return Poll::Ready(());
                }
                continue;
            }
            ready.take(&mut turns);
            while turns.pop_front().is_some() {
                if is_done(Found::Turn) {
                    return Poll::Ready(());
                }
            }
            if ready.fall_asleep() {
                return Poll::Pending;
            }
        }
    }));
}

#[test]
fn no_turn_is_lost() {
    loom::model(|| {
        let ready = Arc::new(ReadyQueue::new());
        for key in 0..2 {
            let ready = Arc::clone(&ready);
            thread::spawn(move || ready.push(Turn::Task(key)));
        }
        let mut seen = 0;
        drive(&ready, |_| {
            seen += 1;
            seen == 2
        });
    });
}

#[test]
fn no_sweep_is_lost() {
    loom::model(|| {
        let ready = Arc::new(ReadyQueue::new());
        let (one, other) = (Arc::clone(&ready), Arc::clone(&ready));
        thread::spawn(move || one.push_all());
        thread::spawn(move || other.push(Turn::Arrival));
        let (mut is_swept, mut has_turn) = (false, false);
        drive(&ready, |found| {
            match found {
                Found::Sweep => is_swept = true,
                Found::Turn => has_turn = true,
            }
            is_swept && has_turn
        });
    });
}

/// Two threads do some work and then wake with `wake`; the driver looks at it at each turn, after
/// `begin`.
fn work_is_seen(wake: fn(&Woken), begin: fn(&Woken)) {
    let woken = Arc::new(Woken::new());
    for _ in 0..2 {
        let woken = Arc::clone(&woken);
        thread::spawn(move || {
            woken.host.work.fetch_add(1, Ordering::Relaxed);
            wake(&woken);
        });
    }
    drive(&woken.host.ready, |_| {
        begin(&woken);
        woken.host.work.load(Ordering::Relaxed) == 2
    });
}

/// A group of one task, and its work.
struct OneTask {
    ready: Arc<ReadyQueue>,
    scheduler: Scheduler,
    work: AtomicUsize,
}

impl Host for OneTask {
    fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    fn is_stopped(&self) -> bool {
        false
    }
}

/// What is woken: the task, or the supervisor beside it.
struct Woken {
    host: Arc<OneTask>,
    node: Arc<Node<OneTask, ()>>,
}

impl Woken {
    fn new() -> Woken {
        let ready = Arc::new(ReadyQueue::new());
        let host = Arc::new(OneTask {
            scheduler: Scheduler::in_place(&ready),
            ready,
            work: AtomicUsize::new(0),
        });
        let node = Node::new(Arc::clone(&host), ());
        node.set_key(0);
        Woken { host, node }
    }
}

#[test]
fn the_task_sees_what_was_done_before_it_was_woken() {
    loom::model(|| {
        work_is_seen(
            |woken| woken.node.wake_task(),
            |woken| woken.node.begin_poll(),
        )
    });
}

#[test]
fn the_supervisor_sees_what_was_done_before_it_was_woken() {
    loom::model(|| {
        work_is_seen(
            |woken| woken.host.ready.wake_by_ref(),
            |woken| woken.host.ready.begin_supervisor(),
        );
    });
}

#[test]
fn a_task_sees_what_was_done_before_it_was_woken_also_while_it_moves_to_an_executor() {
    loom::model(|| {
        let woken = Woken::new();
        let (host, node) = (Arc::clone(&woken.host), Arc::clone(&woken.node));
        thread::spawn(move || {
            host.work.store(1, Ordering::SeqCst);
            node.wake_task();
        });
        let wakers = woken.host.scheduler.move_to_executor();
        let key = wakers.insert();
        woken.node.set_key(key);
        block_on(poll_fn(|cx| {
            wakers.set(key, cx.waker());
            woken.node.begin_poll();
            match woken.host.work.load(Ordering::SeqCst) {
                1 => Poll::Ready(()),
                _ => Poll::Pending,
            }
        }));
    });
}

/// Counts its drops.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_handle_is_dropped_whether_it_comes_before_the_end_of_its_task_or_after() {
    loom::model(|| {
        let (drops, kept) = (Arc::new(AtomicUsize::new(0)), Arc::new(Kept::new()));
        let same = Arc::clone(&kept);
        let ending = thread::spawn(move || same.release());
        kept.keep(Counted(Arc::clone(&drops)));
        ending.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}
