//! One measurement: from an empty group to n services that wait, and from the stop to their end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use atomic_waker::AtomicWaker;

use crate::allocator;

/// How many services wait for the stop.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// How many services there are.
static EXPECTED: AtomicUsize = AtomicUsize::new(0);

/// Wakes the task that waits for the last service.
static LAST: AtomicWaker = AtomicWaker::new();

/// What every service does first.
pub fn arrive() {
    // Releases what this service did; the last service acquires it for the task that it wakes.
    let before = WAITING.fetch_add(1, Ordering::AcqRel);
    if before + 1 == EXPECTED.load(Ordering::Relaxed) {
        LAST.wake();
    }
}

/// What every service does last.
pub fn leave() {
    WAITING.fetch_sub(1, Ordering::AcqRel);
}

/// What is asked of a peer.
#[derive(Clone, Copy)]
pub struct Plan {
    /// How many services a group has.
    pub services: usize,

    /// How many groups to measure, one after the other.
    pub groups: usize,
}

/// What one group cost.
#[derive(Clone, Copy)]
pub struct Cost {
    /// From before the group was made until its last service waited.
    pub start: Duration,

    /// From there until all services had ended and the group had been dropped.
    pub stop: Duration,

    /// What it held in between.
    pub bytes: isize,
}

/// Measures from its making on, which is to be before that of the group.
pub struct Meter {
    held: isize,
    since: Instant,
}

impl Meter {
    pub fn new(services: usize) -> Meter {
        EXPECTED.store(services, Ordering::Relaxed);
        Meter {
            held: allocator::held(),
            since: Instant::now(),
        }
    }

    /// Waits for the last service to wait; what follows is the stop.
    pub async fn all_wait(self) -> Started {
        std::future::poll_fn(|cx| {
            LAST.register(cx.waker());
            if WAITING.load(Ordering::Acquire) == EXPECTED.load(Ordering::Relaxed) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        let start = self.since.elapsed();
        let bytes = allocator::held() - self.held;
        Started {
            start,
            bytes,
            since: Instant::now(),
        }
    }
}

/// A group whose services all wait.
pub struct Started {
    start: Duration,
    bytes: isize,
    since: Instant,
}

impl Started {
    /// The services have ended, and the group has been dropped.
    pub fn joined(self) -> Cost {
        let stop = self.since.elapsed();
        let left = WAITING.load(Ordering::Acquire);
        assert_eq!(left, 0, "services that were not joined");
        Cost {
            start: self.start,
            stop,
            bytes: self.bytes,
        }
    }
}
