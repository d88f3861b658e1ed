//! The side of a stop that is told.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures_lite::ready;

use super::cause::Cause;
use super::latch::Latch;
use super::run_until::run_until;
use crate::sync::{EventListener, Listener};

/// The side of a stop that is told.
///
/// Clones are the same token. Waiting costs nothing until there is something to wait for: a
/// listener is set up at the first poll that finds no stop, and goes with the future.
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::{Cause, StopSource};
///
/// let source = StopSource::new();
/// let token = source.token();
/// let waiting = std::thread::spawn(move || future::block_on(token.stopped()));
///
/// source.stop(Cause::Requested);
/// assert_eq!(waiting.join().unwrap(), Cause::Requested);
/// ```
#[derive(Clone)]
pub struct StopToken {
    pub(super) latch: Arc<Latch>,
}

impl StopToken {
    pub(super) fn new(latch: &Arc<Latch>) -> StopToken {
        StopToken {
            latch: Arc::clone(latch),
        }
    }

    /// Waits for the stop and returns its cause.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped and made anew at any time: the stop is latched.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Cause, StopSource};
    ///
    /// let source = StopSource::new();
    /// let token = source.token();
    /// source.stop(Cause::Requested);
    /// assert_eq!(future::block_on(token.stopped()), Cause::Requested);
    /// ```
    pub fn stopped(&self) -> Stopped {
        Stopped {
            token: self.clone(),
            waiting: None,
        }
    }

    /// Returns true once the stop has come. One load.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{Cause, StopSource};
    ///
    /// let source = StopSource::new();
    /// let token = source.token();
    /// let done = (0..).take_while(|_| !token.is_stopped()).inspect(|round| {
    ///     if *round == 2 {
    ///         source.stop(Cause::Requested);
    ///     }
    /// });
    /// assert_eq!(done.count(), 3);
    /// ```
    pub fn is_stopped(&self) -> bool {
        self.latch.stop.get().is_some()
    }

    /// Returns why it was stopped; `None` before that.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{Cause, StopSource};
    ///
    /// let source = StopSource::new();
    /// let token = source.token();
    /// assert_eq!(token.cause(), None);
    /// source.stop(Cause::Requested);
    /// assert_eq!(token.cause(), Some(Cause::Requested));
    /// ```
    pub fn cause(&self) -> Option<Cause> {
        self.latch.stop.get().map(|stop| stop.cause.clone())
    }

    /// Returns until when there is time to finish; `None` before the stop, or without a limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{Cause, StopSource};
    ///
    /// let source = StopSource::new();
    /// source.stop(Cause::Requested);
    /// assert_eq!(source.token().deadline(), None, "it may take its time");
    /// ```
    pub fn deadline(&self) -> Option<Instant> {
        self.latch.stop.get().and_then(|stop| stop.deadline)
    }

    /// Runs a future until the stop, and returns its output if it finished first.
    ///
    /// If the stop has come already, the future is dropped without a poll. After that it is polled
    /// before the stop is looked at, so that a result that is there wins a tie.
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as the future it is given.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Cause, StopSource};
    ///
    /// let source = StopSource::new();
    /// let token = source.token();
    /// future::block_on(async {
    ///     assert_eq!(token.run_until_stopped(async { 7 }).await, Some(7));
    ///     source.stop(Cause::Requested);
    ///     assert_eq!(token.run_until_stopped(async { 7 }).await, None);
    /// });
    /// ```
    pub async fn run_until_stopped<F: Future>(&self, future: F) -> Option<F::Output> {
        if self.is_stopped() {
            return None;
        }
        run_until(future, self.stopped()).await
    }

    /// Blocks this thread until the stop and returns its cause; for threads, not for futures.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{Cause, StopSource};
    ///
    /// let source = StopSource::new();
    /// let token = source.token();
    /// let worker = std::thread::spawn(move || token.wait_blocking());
    /// source.stop(Cause::Requested);
    /// assert_eq!(worker.join().unwrap(), Cause::Requested);
    /// ```
    pub fn wait_blocking(&self) -> Cause {
        loop {
            if let Some(cause) = self.cause() {
                return cause;
            }
            let listener = self.latch.waiters.listen();
            if !self.is_stopped() {
                listener.wait();
            }
        }
    }

    /// Blocks this thread until the stop, but no longer than `timeout`; `None` if time ran out.
    ///
    /// # Examples
    ///
    /// A thread that does something every so often until it is told to stop:
    ///
    /// ```
    /// use std::time::Duration;
    /// use neap::{Cause, StopSource};
    ///
    /// let source = StopSource::new();
    /// let token = source.token();
    /// let mut rounds = 0;
    /// while token.wait_blocking_timeout(Duration::from_millis(1)).is_none() {
    ///     rounds += 1;
    ///     if rounds == 3 {
    ///         source.stop(Cause::Requested);
    ///     }
    /// }
    /// assert_eq!(rounds, 3);
    /// ```
    pub fn wait_blocking_timeout(&self, timeout: Duration) -> Option<Cause> {
        let Some(deadline) = Instant::now().checked_add(timeout) else {
            return Some(self.wait_blocking());
        };
        loop {
            if let Some(cause) = self.cause() {
                return Some(cause);
            }
            let listener = self.latch.waiters.listen();
            if !self.is_stopped() && listener.wait_deadline(deadline).is_none() {
                return self.cause();
            }
        }
    }
}

impl fmt::Debug for StopToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopToken")
            .field("stop", &self.latch.stop.get())
            .finish()
    }
}

/// The future of [`StopToken::stopped`].
#[must_use = "futures do nothing unless polled"]
pub struct Stopped {
    token: StopToken,

    /// The place in the list of waiters, and the waker that was left there.
    waiting: Option<(EventListener, Waker)>,
}

impl Stopped {
    /// Returns true once the stop has come. One load.
    pub(crate) fn is_due(&self) -> bool {
        self.token.is_stopped()
    }
}

impl Future for Stopped {
    type Output = Cause;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cause> {
        let this = &mut *self;
        loop {
            if let Some(cause) = this.token.cause() {
                this.waiting = None;
                return Poll::Ready(cause);
            }
            match &mut this.waiting {
                // The listener has this waker, and the stop had not come when it was left there:
                // the stop will wake it. Asking the listener again would take a lock.
                Some((_, waker)) if waker.will_wake(cx.waker()) => return Poll::Pending,
                Some((listener, waker)) => {
                    waker.clone_from(cx.waker());
                    ready!(Pin::new(listener).poll(cx));
                    // Notified, so the stop is there: look again.
                    this.waiting = None;
                }
                None => {
                    let mut listener = this.token.latch.waiters.listen();
                    // Looked at again before waiting: a stop that fell between the first look and
                    // the listener did not notify it.
                    if !this.token.is_stopped() && Pin::new(&mut listener).poll(cx).is_pending() {
                        this.waiting = Some((listener, cx.waker().clone()));
                    }
                }
            }
        }
    }
}

impl fmt::Debug for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stopped").field(&self.token).finish()
    }
}
