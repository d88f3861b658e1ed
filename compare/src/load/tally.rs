//! What a load has counted.

use std::time::Duration;

/// The requests of a load: how long each took, and how many were lost.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// In nanoseconds for each request that was answered: from its last byte to its response's, or, at
    /// a fixed rate, from when it was due.
    pub(crate) latencies: Vec<u32>,
    /// How many requests were answered.
    pub(crate) answered: usize,
    /// How many bytes of responses and of uploads were moved, also of those that are not whole.
    pub(crate) bytes: u64,
    /// Requests that were sent whole, and whose response did not come whole.
    pub(crate) lost: usize,
    pub(crate) elapsed: Duration,
}

impl Tally {
    /// Adds a request that took this long.
    pub(super) fn add(&mut self, took: Duration) {
        let nanos = u32::try_from(took.as_nanos()).unwrap_or(u32::MAX);
        self.latencies.push(nanos);
    }

    /// Returns what changes whenever something has arrived.
    pub(super) fn progress(&self) -> (usize, u64) {
        (self.answered, self.bytes)
    }

    /// Returns the latency in microseconds that `percent` of the requests did not exceed.
    pub(crate) fn percentile(&mut self, percent: f64) -> f64 {
        let Some(last) = self.latencies.len().checked_sub(1) else {
            return f64::NAN;
        };
        let at = (self.latencies.len() as f64 * percent / 100.0) as usize;
        f64::from(*self.latencies.select_nth_unstable(at.min(last)).1) / 1e3
    }

    /// Adds the requests of another thread.
    pub(super) fn merge(&mut self, other: Tally) {
        self.latencies.extend(other.latencies);
        self.answered += other.answered;
        self.bytes += other.bytes;
        self.lost += other.lost;
        self.elapsed = self.elapsed.max(other.elapsed);
    }
}
