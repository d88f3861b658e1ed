//! A stop that comes with the end of a block.

use std::fmt;

use super::cause::Cause;
use super::source::StopSource;

/// Stops a source when it is dropped: what [`StopSource::drop_guard`] returns.
///
/// It is dropped when the block that owns it ends, in whatever way: also by an error, by a panic, or
/// because the future that owns it is dropped.
#[must_use = "dropping it at once stops at once"]
pub struct StopGuard {
    /// What it stops with which cause; `None` once it is disarmed.
    armed: Option<(StopSource, Cause)>,
}

impl StopGuard {
    pub(super) fn new(source: StopSource, cause: Cause) -> StopGuard {
        StopGuard {
            armed: Some((source, cause)),
        }
    }

    /// Gives up the guard, and stops nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::StopSource;
    ///
    /// let source = StopSource::new();
    /// source.clone().drop_guard("not finished").disarm();
    /// assert!(!source.is_stopped());
    /// ```
    pub fn disarm(mut self) {
        self.armed = None;
    }
}

impl StopSource {
    /// Returns a guard that stops this source when it is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{Cause, StopSource};
    ///
    /// let source = StopSource::new();
    /// let token = source.token();
    /// {
    ///     let _guard = source.drop_guard("the connection is gone");
    ///     assert!(!token.is_stopped());
    /// }
    /// assert_eq!(token.cause(), Some(Cause::from("the connection is gone")));
    /// ```
    pub fn drop_guard(self, cause: impl Into<Cause>) -> StopGuard {
        StopGuard::new(self, cause.into())
    }
}

impl Drop for StopGuard {
    fn drop(&mut self) {
        if let Some((source, cause)) = self.armed.take() {
            source.stop(cause);
        }
    }
}

impl fmt::Debug for StopGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StopGuard").field(&self.armed).finish()
    }
}
