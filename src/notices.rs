//! What the supervisor of a group is told.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use atomic_waker::AtomicWaker;

/// What a group's supervisor is told by the others, beside what it waits for itself.
///
/// A service that ends well sends nothing: it is counted.
#[derive(Debug)]
pub(crate) enum Notice {
    /// The stop has been latched.
    Stopped,

    /// There is no service left that keeps the group alive, or none at all.
    Quiet,

    /// Somebody has had enough of waiting.
    Cancel,

    /// The service of this index has started, and has a time to be ready by.
    Starting(usize),

    /// The service of this index was told to stop in its turn, and has a time to end by.
    Stopping(usize),

    /// A service was cancelled in its turn: it has as long to go as the others had.
    Cancelling,
}

/// The notices that the supervisor has yet to read. They are few, and it is the only reader: a list
/// and a waker do, where a channel would be most of what a small group costs.
pub(crate) struct Notices {
    /// In order; `None` once nobody reads them any more.
    unread: Mutex<Option<VecDeque<Notice>>>,

    /// The supervisor's task.
    reader: AtomicWaker,
}

impl Notices {
    pub(crate) fn new() -> Notices {
        Notices {
            unread: Mutex::new(Some(VecDeque::new())),
            reader: AtomicWaker::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<VecDeque<Notice>>> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a notice, unless the group has ended and nobody cares.
    pub(crate) fn send(&self, notice: Notice) {
        let sent = self.lock().as_mut().map(|unread| unread.push_back(notice));
        if sent.is_some() {
            self.reader.wake();
        }
    }

    /// The next notice; the task is woken when there is one.
    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Notice> {
        // Registered before the look: whoever sends later than that finds the waker.
        self.reader.register(cx.waker());
        let next = self.lock().as_mut().and_then(VecDeque::pop_front);
        next.map_or(Poll::Pending, Poll::Ready)
    }

    /// From here on nobody reads.
    pub(crate) fn close(&self) {
        *self.lock() = None;
    }
}
