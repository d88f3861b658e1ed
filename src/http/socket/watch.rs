//! Watching a socket beside something else that the task waits for.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::watch_waker::WatchWaker;
use crate::net::stream::Stream;

/// Watches a socket beside something else that the task waits for.
///
/// The reactor is given a waker that notes that it was the socket that woke the task. So a poll for
/// another reason costs one load, and one for the socket tries a read at once.
#[derive(Debug, Default)]
pub(in crate::http) struct Watch {
    waker: Option<Arc<WatchWaker>>,
    /// Whether the reactor has the waker.
    is_armed: bool,
}

impl Watch {
    /// Returns true if a read is to be tried: the socket is not watched yet, or it has woken the task.
    pub(in crate::http) fn is_due(&self, cx: &Context<'_>) -> bool {
        match &self.waker {
            Some(waker) if self.is_armed && waker.is_of(cx.waker()) => waker.was_woken(),
            _ => true,
        }
    }

    /// Has the reactor wake the task when the socket is readable; ready if it is already.
    pub(in crate::http) fn arm(
        &mut self,
        stream: &Stream,
        cx: &Context<'_>,
    ) -> Poll<io::Result<()>> {
        let known = self.waker.take();
        let known = known.filter(|waker| waker.is_of(cx.waker()));
        let watch = known.unwrap_or_else(|| Arc::new(WatchWaker::new(cx.waker())));
        watch.forget_wakes();
        let waker = Waker::from(Arc::clone(&watch));
        self.waker = Some(watch);
        self.is_armed = true;
        stream.poll_readable(&mut Context::from_waker(&waker))
    }

    /// Notes that the reactor may have another waker by now, or that this one was used by another.
    pub(in crate::http) fn disarm(&mut self) {
        self.is_armed = false;
    }

    /// Goes on with a waker that others have given to the reactor: to exchange it there would wake them.
    pub(in crate::http) fn adopt(&mut self, waker: &Arc<WatchWaker>) {
        self.waker = Some(Arc::clone(waker));
        self.is_armed = false;
    }

    /// Gives the memory back.
    pub(in crate::http) fn release(&mut self) {
        *self = Watch::default();
    }
}
