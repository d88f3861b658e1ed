//! The count of the deliveries of the signals of one set.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Deliveries closer together than this count as one.
const TOGETHER: Duration = Duration::from_millis(100);

/// The number of deliveries, of which those close together count as one.
pub(super) struct Deliveries {
    epoch: Instant,
    /// The time of the last delivery that counts, in nanoseconds after the epoch; 0 before the first.
    last: AtomicU64,
    count: AtomicU32,
}

impl Deliveries {
    pub(super) fn new() -> Deliveries {
        Deliveries {
            epoch: Instant::now(),
            last: AtomicU64::new(0),
            count: AtomicU32::new(0),
        }
    }

    /// Notes a delivery. Returns the new count, or `None` if it does not count.
    ///
    /// It is called in a signal handler, so it touches only the clock and atomics.
    pub(super) fn note(&self) -> Option<u32> {
        let now = (self.epoch.elapsed().as_nanos() as u64).max(1);
        let last = self.last.load(Ordering::Relaxed);
        if last != 0 && now.saturating_sub(last) < TOGETHER.as_nanos() as u64 {
            return None;
        }
        // If this fails, another thread has just counted a delivery, and the two came together.
        self.last
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
            .ok()?;
        Some(self.count.fetch_add(1, Ordering::Release) + 1)
    }

    pub(super) fn count(&self) -> u32 {
        self.count.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g12_two_deliveries_within_100_ms_count_as_one() {
        let mut deliveries = Deliveries::new();
        // Until the epoch no time passes.
        let hour = Duration::from_secs(3600);
        deliveries.epoch += hour;
        assert_eq!(deliveries.note(), Some(1));
        assert_eq!(deliveries.note(), None);
        // 100 ms after the epoch, or a little more.
        deliveries.epoch -= hour + TOGETHER;
        assert_eq!(deliveries.note(), Some(2));
        assert_eq!(deliveries.count(), 2);
    }
}
