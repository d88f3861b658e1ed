//! The clock that what belongs to a group goes by.

use std::fmt;
use std::time::{Duration, Instant};

use super::alarm::Alarm;
use super::clock::Clock;

/// The clock that what belongs to a group goes by: the real one, or one that is moved by hand.
/// Clones are the same clock.
#[derive(Clone, Default)]
pub(crate) struct TimeSource(Option<Clock>);

impl TimeSource {
    pub(super) fn new(clock: Option<Clock>) -> TimeSource {
        TimeSource(clock)
    }

    /// Returns the time by the clock.
    pub(crate) fn now(&self) -> Instant {
        self.0.as_ref().map_or_else(Instant::now, Clock::now)
    }

    /// Returns true if the clock is moved by hand.
    #[cfg(feature = "http")]
    pub(crate) fn is_by_hand(&self) -> bool {
        self.0.is_some()
    }

    /// Returns a wait for an instant.
    pub(crate) fn alarm(&self, at: Instant) -> Alarm {
        Alarm::new(self.0.as_ref(), at)
    }

    /// Returns a wait of this length.
    pub(crate) fn sleep(&self, length: Duration) -> Alarm {
        self.alarm(deadline_from(self.now(), length))
    }
}

impl fmt::Debug for TimeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("the real clock"),
            Some(clock) => clock.fmt(f),
        }
    }
}

/// Returns the deadline of a timeout that begins at `start`.
///
/// `Duration::MAX` means "no timeout", and the addition would overflow: such a deadline is a hundred
/// years away.
pub(crate) fn deadline_from(start: Instant, timeout: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    start.checked_add(timeout.min(NEVER)).unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_timeout_is_a_long_one() {
        let now = Instant::now();
        assert!(deadline_from(now, Duration::MAX) > now + Duration::from_secs(3600));
    }

    #[test]
    fn goes_by_the_clock_it_was_made_with() {
        let clock = Clock::new();
        let by_hand = TimeSource::new(Some(clock.clone()));
        let before = by_hand.now();
        clock.advance(Duration::from_secs(60));
        assert_eq!(by_hand.now() - before, Duration::from_secs(60));
        assert!(TimeSource::default().now() < by_hand.now());
    }
}
