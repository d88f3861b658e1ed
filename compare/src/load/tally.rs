//! What a load has counted.

use std::time::Duration;

/// The requests of a load: how long each took, and how many were lost.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// From a request's last byte to its response's, in nanoseconds, for each that was answered.
    pub(crate) latencies: Vec<u32>,
    /// Requests that were sent whole, and whose response did not come whole.
    pub(crate) lost: usize,
    pub(crate) elapsed: Duration,
}

impl Tally {
    /// Returns the latency in microseconds that `percent` of the requests did not exceed.
    pub(crate) fn percentile(&mut self, percent: usize) -> f64 {
        let Some(last) = self.latencies.len().checked_sub(1) else {
            return f64::NAN;
        };
        let at = (self.latencies.len() * percent / 100).min(last);
        f64::from(*self.latencies.select_nth_unstable(at).1) / 1e3
    }

    /// Adds the requests of another thread.
    pub(super) fn merge(&mut self, other: Tally) {
        self.latencies.extend(other.latencies);
        self.lost += other.lost;
        self.elapsed = self.elapsed.max(other.elapsed);
    }
}
