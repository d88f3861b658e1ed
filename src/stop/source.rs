//! The side of a stop that stops.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::cause::Cause;
use super::latch::{Latch, Stop, Waiters};
use super::token::StopToken;

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
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(!neap::StopSource::new().is_stopped());
    /// ```
    pub fn new() -> StopSource {
        StopSource::new_in(Arc::new(Latch::new()))
    }

    fn new_in(latch: Arc<Latch>) -> StopSource {
        StopSource { latch }
    }

    /// Stops every token and child of this source; false if it was stopped before.
    ///
    /// When this returns, the cause can be read from each of them, and all their waiters have
    /// been woken. The cause can be read before the first waiter wakes.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{Cause, StopSource};
    ///
    /// let source = StopSource::new();
    /// assert!(source.stop(Cause::Requested));
    /// assert!(!source.stop("the disk is full"), "once is enough");
    /// ```
    pub fn stop(&self, cause: impl Into<Cause>) -> bool {
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
    pub fn stop_by(&self, cause: impl Into<Cause>, deadline: Option<Instant>) -> bool {
        let waiters = self.set(cause.into(), Instant::now(), deadline);
        waiters.map(Waiters::wake).is_some()
    }

    /// Sets the stop and leaves the waking to the caller, which may hold a lock; `None` if it was
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
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{Cause, StopSource};
    ///
    /// let source = StopSource::new();
    /// let (first, second) = (source.token(), source.token());
    /// source.stop(Cause::Requested);
    /// assert!(first.is_stopped() && second.is_stopped());
    /// ```
    pub fn token(&self) -> StopToken {
        StopToken::new(&self.latch)
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
        StopSource::new_in(self.latch.child())
    }

    /// Returns true once this source, or one above it, was stopped. One load.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{Cause, StopSource};
    ///
    /// let source = StopSource::new();
    /// let child = source.child();
    /// source.stop(Cause::Requested);
    /// assert!(child.is_stopped());
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
    /// assert_eq!(source.cause(), None);
    /// source.stop(Cause::Finished("job".into()));
    /// assert_eq!(source.cause(), Some(Cause::Finished("job".into())));
    /// ```
    pub fn cause(&self) -> Option<Cause> {
        self.latch.stop.get().map(|stop| stop.cause.clone())
    }

    /// Has another source, which is no child, stopped with this one.
    pub(crate) fn adopt(&self, orphan: &StopSource) {
        if let Some(waiters) = self.latch.adopt(&orphan.latch) {
            waiters.wake();
        }
    }

    /// Returns when it was stopped.
    pub(crate) fn stopped_at(&self) -> Option<Instant> {
        self.latch.stop.get().map(|stop| stop.at)
    }

    /// See [`StopToken::deadline`].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.latch.stop.get().and_then(|stop| stop.deadline)
    }
}

/// Here and not with the token, which knows no source.
impl StopToken {
    /// Returns a source that is stopped with this token, and can be stopped before it alone.
    ///
    /// See [`StopSource::child`].
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{Cause, StopSource};
    ///
    /// let source = StopSource::new();
    /// let token = source.token();
    /// let child = token.child();
    /// child.stop(Cause::Requested);
    /// assert!(!token.is_stopped());
    /// ```
    pub fn child(&self) -> StopSource {
        StopSource::new_in(self.latch.child())
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
