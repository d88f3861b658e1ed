//! How long a connection serves.

use std::time::{Duration, Instant};

use crate::http::settings::Settings;
use crate::time::time_source::{TimeSource, deadline_from};

/// How long a connection serves: which request is its last.
#[derive(Debug)]
pub(super) struct Lifetime {
    requests_left: u64,
    /// `None` if there is no limit.
    ends_at: Option<Instant>,
}

impl Lifetime {
    /// Makes the lifetime of a connection that begins now.
    pub(super) fn new(settings: &Settings, time: &TimeSource) -> Self {
        let age = settings.max_connection_age;
        let ends_at = (age != Duration::MAX).then(|| {
            // From nine to eleven tenths.
            let part = 0.9 + 0.2 * fastrand::f64();
            let age = Duration::try_from_secs_f64(age.as_secs_f64() * part).unwrap_or(age);
            deadline_from(time.now(), age)
        });
        Self {
            requests_left: settings.max_requests,
            ends_at,
        }
    }

    /// Counts a request. Returns true if none is to follow.
    #[inline(always)]
    pub(super) fn is_over_with(&mut self, time: &TimeSource) -> bool {
        self.requests_left = self.requests_left.saturating_sub(1);
        self.requests_left == 0 || self.ends_at.is_some_and(|end| time.now() >= end)
    }
}
