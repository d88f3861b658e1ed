//! Time: the clock of a group, waits by it, and deadlines.
//!
//! A group counts its times in nanoseconds from an instant of its own, so that one atomic holds
//! each of them. A *timeout* is a length of time, a *deadline* an instant.

pub(crate) mod activity;
pub(crate) mod advance;
pub(crate) mod alarm;
pub(crate) mod clock;
pub(crate) mod deadlines;
pub(crate) mod drive;
mod schedule;
pub(crate) mod sleep;
#[cfg(feature = "net")]
pub(crate) mod time_source;
pub(crate) mod timeline;

use std::time::{Duration, Instant};

/// A timeout in nanoseconds that never runs out.
pub(crate) const FOREVER: u64 = u64::MAX;

/// Returns the whole nanoseconds of a duration; one of 584 years or more is [`FOREVER`].
pub(crate) fn nanos(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(u64::from(duration.subsec_nanos()))
}

/// Returns the deadline of a timeout that begins at `start`; `None` if it never runs out.
pub(crate) fn deadline_after(start: Instant, timeout: u64) -> Option<Instant> {
    if timeout == FOREVER {
        None
    } else {
        start.checked_add(Duration::from_nanos(timeout))
    }
}

/// Returns the earlier of two deadlines, where `None` is never.
pub(crate) fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
