//! The stop: a broadcast with one cause, where the first cause wins.
//!
//! A [`StopSource`] is the side that stops, a [`StopToken`] the side that is told. Both are one
//! pointer, cheap to clone, and free of any runtime.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use event_listener::{EventListener, Listener};
use futures_lite::{future, ready};

use crate::Cause;
use crate::latch::{Latch, Stop, Waiters};

/// The side of a stop that stops.
///
/// A stop is latched: it happens once, with one [`Cause`], and is never taken back. Clones are
/// the same source. Dropping every source does *not* stop the tokens: they wait for good.
///
/// # Examples
///
/// ```
/// use neap::{Cause, StopSource};
///
/// let source = StopSource::new();
/// let token = source.token();
/// assert!(!token.is_stopped());
///
/// assert!(source.stop(Cause::Requested));
/// assert!(!source.stop(Cause::Failed("db".into())), "the first cause wins");
/// assert_eq!(token.cause(), Some(Cause::Requested));
/// ```
#[derive(Clone)]
pub struct StopSource {
    latch: Arc<Latch>,
}

impl StopSource {
    /// Makes a source that nothing has stopped yet.
    pub fn new() -> StopSource {
        StopSource {
            latch: Arc::new(Latch::new()),
        }
    }

    /// Stops every token and child of this source; false if they were stopped before.
    ///
    /// When this returns, the cause can be read from each of them, and all their waiters have
    /// been woken. The cause is in place before the first waiter wakes.
    pub fn stop(&self, cause: Cause) -> bool {
        self.stop_by(cause, None)
    }

    /// Stops as [`stop`](StopSource::stop) does, and says until when there is time.
    ///
    /// The deadline is told, not enforced: see [`StopToken::deadline`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use neap::{Cause, StopSource};
    ///
    /// let source = StopSource::new();
    /// let deadline = Instant::now() + Duration::from_secs(10);
    /// source.stop_by(Cause::Requested, Some(deadline));
    /// assert_eq!(source.token().deadline(), Some(deadline));
    /// ```
    pub fn stop_by(&self, cause: Cause, deadline: Option<Instant>) -> bool {
        let waiters = self.set(cause, Instant::now(), deadline);
        waiters.map(Waiters::wake).is_some()
    }

    /// Sets the stop and leaves the waking to the caller, who may hold a lock; `None` if it was
    /// set before.
    pub(crate) fn set(
        &self,
        cause: Cause,
        at: Instant,
        deadline: Option<Instant>,
    ) -> Option<Waiters> {
        self.latch.set(&Stop {
            cause,
            at,
            deadline,
        })
    }

    /// Returns a token that this source stops.
    pub fn token(&self) -> StopToken {
        StopToken {
            latch: Arc::clone(&self.latch),
        }
    }

    /// Returns a source that is stopped with this one, and can be stopped before it alone.
    ///
    /// The child of a stopped source is born stopped. Stopping a child leaves its parent be.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{Cause, StopSource};
    ///
    /// let parent = StopSource::new();
    /// let (first, second) = (parent.child(), parent.child());
    /// first.stop(Cause::Requested);
    /// assert!(!parent.is_stopped() && !second.is_stopped());
    ///
    /// parent.stop(Cause::Failed("db".into()));
    /// assert_eq!(second.cause(), Some(Cause::Failed("db".into())));
    /// assert_eq!(first.cause(), Some(Cause::Requested));
    /// ```
    pub fn child(&self) -> StopSource {
        StopSource {
            latch: self.latch.child(),
        }
    }

    /// Whether this source, or one above it, has stopped. One load.
    pub fn is_stopped(&self) -> bool {
        self.latch.stop.get().is_some()
    }

    /// Why it stopped; `None` while it has not.
    pub fn cause(&self) -> Option<Cause> {
        self.latch.stop.get().map(|stop| stop.cause.clone())
    }
}

impl StopSource {
    /// When it stopped.
    pub(crate) fn stopped_at(&self) -> Option<Instant> {
        self.latch.stop.get().map(|stop| stop.at)
    }

    /// See [`StopToken::deadline`].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.latch.stop.get().and_then(|stop| stop.deadline)
    }
}

impl Default for StopSource {
    fn default() -> StopSource {
        StopSource::new()
    }
}

impl fmt::Debug for StopSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopSource")
            .field("stop", &self.latch.stop.get())
            .finish()
    }
}

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
    latch: Arc<Latch>,
}

impl StopToken {
    /// Waits for the stop and returns its cause.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped and made anew at any time: the stop is latched.
    pub fn stopped(&self) -> Stopped {
        Stopped {
            token: self.clone(),
            waiting: None,
        }
    }

    /// Whether the stop has come. One load.
    pub fn is_stopped(&self) -> bool {
        self.latch.stop.get().is_some()
    }

    /// Why it was stopped; `None` while it is not.
    pub fn cause(&self) -> Option<Cause> {
        self.latch.stop.get().map(|stop| stop.cause.clone())
    }

    /// Until when there is time to finish; `None` before the stop, or if no limit was given.
    pub fn deadline(&self) -> Option<Instant> {
        self.latch.stop.get().and_then(|stop| stop.deadline)
    }

    /// Returns a source that is stopped with this token, and can be stopped before it alone.
    ///
    /// See [`StopSource::child`].
    pub fn child(&self) -> StopSource {
        StopSource {
            latch: self.latch.child(),
        }
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
        until(future, self.stopped()).await
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
    /// Whether the stop has come. One load.
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
                // The listener has this waker and the stop had not come when it was left there:
                // whoever stops will wake it. Asking the listener again would take a lock.
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
                    // the listener notified nobody.
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

/// Runs `future` until `stopped` is ready; a finished result wins a tie.
pub(crate) async fn until<F: Future>(
    future: F,
    stopped: impl Future<Output = Cause>,
) -> Option<F::Output> {
    future::or(async { Some(future.await) }, async {
        stopped.await;
        None
    })
    .await
}
