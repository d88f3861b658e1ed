//! Watching a socket beside something else that the task waits for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::net::stream::Stream;

/// Watches a socket beside something else that the task waits for.
///
/// The reactor is given a waker that notes that it was the socket that woke the task. So a poll for
/// another reason costs one load, and one for the socket tries a read at once.
#[derive(Debug, Default)]
pub(in crate::http) struct Watch {
    noted: Option<Arc<Noted>>,
    /// Whether the reactor has the waker.
    is_armed: bool,
}

/// A waker that notes that it was called.
#[derive(Debug)]
struct Noted {
    was_woken: AtomicBool,
    task: Waker,
}

impl Watch {
    /// Returns true if a read is to be tried: the socket is not watched yet, or it has woken the task.
    pub(in crate::http) fn is_due(&self, cx: &Context<'_>) -> bool {
        match &self.noted {
            Some(noted) if self.is_armed && noted.task.will_wake(cx.waker()) => {
                noted.was_woken.load(Ordering::Acquire)
            }
            _ => true,
        }
    }

    /// Has the reactor wake the task when the socket is readable; ready if it is already.
    pub(in crate::http) fn arm(
        &mut self,
        stream: &Stream,
        cx: &Context<'_>,
    ) -> Poll<io::Result<()>> {
        let known = self.noted.take();
        let known = known.filter(|noted| noted.task.will_wake(cx.waker()));
        let noted = known.unwrap_or_else(|| {
            Arc::new(Noted {
                was_woken: AtomicBool::new(false),
                task: cx.waker().clone(),
            })
        });
        // Before the waker is given away. One that is still with the reactor may note a wake of
        // before this: that costs a read in vain.
        noted.was_woken.store(false, Ordering::Release);
        let waker = Waker::from(Arc::clone(&noted));
        self.noted = Some(noted);
        self.is_armed = true;
        stream.poll_readable(&mut Context::from_waker(&waker))
    }

    /// Notes that the reactor may have another waker by now.
    pub(in crate::http) fn disarm(&mut self) {
        self.is_armed = false;
    }

    /// Gives the memory back.
    pub(in crate::http) fn release(&mut self) {
        *self = Watch::default();
    }
}

impl Wake for Noted {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.was_woken.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}
