//! What ended a drain before the services did.

use std::fmt;
use std::time::Duration;

use super::cause::Cause;

/// What had services cancelled that had been told to stop, and had not ended.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use neap::{Cause, Force};
///
/// assert_eq!(Force::Timeout(Duration::from_secs(2)).to_string(), "a drain timeout of 2s");
/// # #[cfg(feature = "signal")] {
/// use neap::signal::Signal;
///
/// let (first, second) = (Cause::Signal(Signal::Int), Cause::Signal(Signal::Int));
/// assert_eq!(Force::Again { first, second }.to_string(), "a second SIGINT");
///
/// let (first, second) = (Cause::Signal(Signal::Int), Cause::Signal(Signal::Term));
/// assert_eq!(Force::Again { first, second }.to_string(), "SIGTERM after SIGINT");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Force {
    /// A source of stops had a second item: a second signal.
    Again {
        /// The first item of that source.
        first: Cause,

        /// The second one.
        second: Cause,
    },

    /// The program asked for it, with [`Handle::cancel`](crate::Handle::cancel) or
    /// [`Handle::cancel_one`](crate::Handle::cancel_one).
    Request,

    /// The drain had lasted this long: as long as it may. The timeout is the service's own or the
    /// group's, or, in a nested group, what was left of that of the outer one.
    Timeout(Duration),
}

impl fmt::Display for Force {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Force::Again { first, second } if first == second => write!(f, "a second {second}"),
            Force::Again { first, second } => write!(f, "{second} after {first}"),
            Force::Request => f.write_str("request"),
            Force::Timeout(timeout) => write!(f, "a drain timeout of {}", Seconds(*timeout)),
        }
    }
}

/// A time that has passed, to a tenth of its unit: `1.5s`, or `0s` if it is none.
pub(crate) struct Elapsed(pub(crate) Duration);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Duration::ZERO => f.write_str("0s"),
            elapsed => write!(f, "{elapsed:.1?}"),
        }
    }
}

/// A timeout as its user wrote it: in whole milliseconds, `0s` if it is none.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX) {
            0 => f.write_str("0s"),
            millis => write!(f, "{:?}", Duration::from_millis(millis)),
        }
    }
}
