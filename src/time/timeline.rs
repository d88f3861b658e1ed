//! The times of one group, in nanoseconds.

use std::time::{Duration, Instant};

use super::activity::Activity;
use super::alarm::Alarm;
use super::clock::Clock;
use super::nanos;
#[cfg(feature = "net")]
use super::time_source::TimeSource;
use crate::sync::OnceLock;

/// The clock of one group, and the instant that its times are counted from.
///
/// Both are settled when time is first asked for. Nanoseconds in 64 bits last for 584 years.
pub(crate) struct Timeline {
    origin: OnceLock<Origin>,
}

struct Origin {
    instant: Instant,

    /// The clock that is moved by hand; `None` for the real one.
    clock: Option<Clock>,
}

impl Timeline {
    pub(crate) fn new() -> Timeline {
        Timeline {
            origin: OnceLock::new(),
        }
    }

    fn origin(&self) -> &Origin {
        self.origin.get_or_init(|| Origin {
            instant: Instant::now(),
            clock: None,
        })
    }

    /// Goes by a clock that is moved by hand; without effect once time has been asked for.
    pub(crate) fn set_clock(&self, clock: &Clock) {
        let now = clock.now();
        // A nanosecond before now, so that no time of this group is 0.
        let instant = now.checked_sub(Duration::from_nanos(1)).unwrap_or(now);
        let clock = Some(clock.clone());
        let _ = self.origin.set(Origin { instant, clock });
    }

    /// Goes by the clock of another group, if that one is moved by hand; without effect once time
    /// has been asked for.
    pub(crate) fn inherit(&self, other: &Timeline) {
        if let Some(clock) = &other.origin().clock {
            self.set_clock(clock);
        }
    }

    /// Returns the count of what is busy by the clock of the group, if that is moved by hand.
    /// Settles nothing.
    pub(crate) fn activity(&self) -> Option<&Activity> {
        let clock = self.origin.get()?.clock.as_ref();
        clock.map(Clock::activity)
    }

    /// Returns the nanoseconds since the origin: never 0, which stands for "not yet".
    pub(crate) fn now(&self) -> u64 {
        self.nanos_at(self.now_instant())
    }

    /// Returns the time by the clock of the group.
    pub(crate) fn now_instant(&self) -> Instant {
        let clock = self.origin().clock.as_ref();
        clock.map_or_else(Instant::now, Clock::now)
    }

    /// Returns an instant as nanoseconds since the origin: never 0.
    pub(crate) fn nanos_at(&self, at: Instant) -> u64 {
        nanos(at.saturating_duration_since(self.origin().instant)).max(1)
    }

    /// Returns the instant that is this many nanoseconds after the origin.
    pub(crate) fn instant(&self, nanos: u64) -> Instant {
        self.origin().instant + Duration::from_nanos(nanos)
    }

    /// Returns the clock of the group, for what it serves.
    #[cfg(feature = "net")]
    pub(crate) fn source(&self) -> TimeSource {
        TimeSource::new(self.origin().clock.clone())
    }

    /// Returns a wait for an instant.
    pub(crate) fn alarm(&self, at: Instant) -> Alarm {
        Alarm::new(self.origin().clock.as_ref(), at)
    }
}
