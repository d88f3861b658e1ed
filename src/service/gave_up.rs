//! The error of a service that was restarted too often.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use super::exit::Exit;

/// The error of a service that was [restarted](crate::restart()) as often as its policy allows.
///
/// Its [`source`](StdError::source) is the error that the last run returned, if it did.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use futures_lite::future;
/// use neap::{GaveUp, Group, Restart, restart};
///
/// let mut group = Group::new();
/// let policy = Restart::on_failure().intensity(0, Duration::from_secs(1));
/// group.add("job", restart(policy, async |_| { Err::<(), _>("xxx") }));
/// let error = future::block_on(group.run()).unwrap_err();
/// let gave_up = error.failure().unwrap().downcast_ref::<GaveUp>().unwrap();
/// assert_eq!(gave_up.to_string(), "gave up after 0 restarts within 1s: failed: xxx");
/// ```
#[derive(Debug)]
pub struct GaveUp {
    restarts: usize,
    period: Duration,
    last: Exit,
}

impl GaveUp {
    pub(crate) fn new(restarts: usize, period: Duration, last: Exit) -> GaveUp {
        GaveUp {
            restarts,
            period,
            last,
        }
    }

    /// How the last run ended.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use futures_lite::future;
    /// use neap::{Exit, GaveUp, Group, Restart, restart};
    ///
    /// let mut group = Group::new();
    /// let policy = Restart::on_failure().intensity(0, Duration::from_secs(1));
    /// group.add("job", restart(policy, async |_| { Err::<(), _>("xxx") }));
    /// let error = future::block_on(group.run()).unwrap_err();
    /// let gave_up = error.failure().unwrap().downcast_ref::<GaveUp>().unwrap();
    /// assert!(matches!(gave_up.last(), Exit::Failed(_)));
    /// ```
    pub fn last(&self) -> &Exit {
        &self.last
    }
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (restarts, period, last) = (self.restarts, self.period, &self.last);
        let plural = if restarts == 1 { "" } else { "s" };
        write!(
            f,
            "gave up after {restarts} restart{plural} within {period:?}: {last}"
        )
    }
}

impl StdError for GaveUp {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.last {
            // Its message is in this one already: go on where that ends.
            Exit::Failed(error) => error.source(),
            _ => None,
        }
    }
}
