//! What the supervisor of a group is told.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use crate::executor::panic::catch;
use crate::sync::{AtomicWaker, Mutex, MutexGuard, lock};

/// What the supervisor of a group is told, beside what it waits for itself.
///
/// A service that ends well sends nothing: it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The stop has been latched.
    Stopped,

    /// No service keeps the group alive any more, or there is none at all.
    Quiet,

    /// The group is to be cancelled.
    Cancel,

    /// The service with this index has started, and is not ready before it says so. It may have a
    /// deadline for that.
    Starting(usize),

    /// The service with this index was told to stop in its turn, and has a deadline of its own.
    Stopping(usize),

    /// The service with this index was cancelled, and the others were not.
    CancelledAlone(usize),

    /// A service was cancelled in its turn: it has as much time as the others had.
    Cancelling,
}

/// The notices that the supervisor has not read. They are few and it is the only reader, so a list
/// and a waker are enough; a channel would be most of what a small group costs.
pub(crate) struct Notices {
    /// In order; `None` once the group has ended.
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
        lock(&self.unread)
    }

    /// Leaves a notice, unless the group has ended.
    pub(crate) fn send(&self, notice: Notice) {
        let sent = self.lock().as_mut().map(|unread| {
            // Twice in a row says no more than once.
            if unread.back() != Some(&notice) {
                unread.push_back(notice);
            }
        });
        if sent.is_some() {
            // It may be that of whoever awaits the group, and run any code.
            let _ = catch(|| self.reader.wake());
        }
    }

    /// Returns true if this notice was sent and has not been read.
    pub(crate) fn has(&self, notice: Notice) -> bool {
        let unread = self.lock();
        unread.iter().flatten().any(|unread| *unread == notice)
    }

    /// The next notice; the task is woken when there is one.
    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Notice> {
        // Registered before the look: a notice that is sent after the look finds the waker.
        self.reader.register(cx.waker());
        let next = self.lock().as_mut().and_then(VecDeque::pop_front);
        next.map_or(Poll::Pending, Poll::Ready)
    }

    /// Drops all notices, now and from here on, and the waker of the supervisor.
    pub(crate) fn close(&self) {
        *self.lock() = None;
        drop(self.reader.take());
    }
}
