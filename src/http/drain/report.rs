//! How a drain went.

use std::fmt;
use std::time::Duration;

use super::tally::Tally;

/// How a drain went.
///
/// It is logged when the last connection has ended, and given to
/// [`Server::on_drained`](crate::http::Server::on_drained).
///
/// # Examples
///
/// ```
/// use neap::http::Report;
///
/// fn alert(report: Report) {
///     if !report.is_clean() {
///         eprintln!("requests were cut: {report}");
///     }
/// }
/// # drop(alert);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The time from the begin of the drain to the end of the last connection.
    pub took: Duration,
    /// The connections there were when the drain began.
    pub found: Tally,
    /// How many connections were taken from the kernel's queue after that.
    pub accepted: usize,
    /// How many connections were closed because no request came.
    pub idle_closed: usize,
    /// The connections that were dropped, at the deadline or by a second stop.
    pub cut: Tally,
}

impl Report {
    /// Returns true if no connection was cut that had begun a request or was no longer HTTP.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let Tally {
            head,
            active,
            responding,
            upgraded,
            ..
        } = self.cut;
        head + active + responding + upgraded == 0
    }
}

/// One line: `drained`, or `cancelled` if it is not clean, with the time in milliseconds and all counts.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.is_clean() {
            true => "drained",
            false => "cancelled",
        };
        let Self {
            found,
            accepted,
            idle_closed,
            cut,
            ..
        } = self;
        let millis = self.took.as_millis();
        write!(f, "{how} in {millis} ms, found {found}")?;
        write!(
            f,
            "; accepted {accepted}, closed idle {idle_closed}; cut {cut}"
        )
    }
}
