//! The count of the deliveries of the signals of one set.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_signal::Signal;

/// Terminations closer together than this count as one.
const TOGETHER: Duration = Duration::from_millis(100);

/// The number of deliveries of the signals of one set.
///
/// The handler of a signal notes each, so none is lost, however full the pipe is that tells the
/// stream of it.
pub(super) enum Deliveries {
    /// Of signals that ask the program to end, whichever they are.
    Terminations(Terminations),

    /// Of any other signals, each counted by itself.
    Each(Vec<(Signal, AtomicU32)>),
}

impl Deliveries {
    /// Counts the signals of a set as terminations, or each by itself.
    pub(super) fn new(signals: &[Signal], are_terminations: bool) -> Deliveries {
        if are_terminations {
            return Deliveries::Terminations(Terminations::new());
        }
        let count = |&signal| (signal, AtomicU32::new(0));
        Deliveries::Each(signals.iter().map(count).collect())
    }

    /// Notes a delivery. Returns the new count, or `None` if it does not count.
    ///
    /// It is called in a signal handler, so it touches only the clock and atomics.
    pub(super) fn note(&self, signal: Signal) -> Option<u32> {
        match self {
            Deliveries::Terminations(terminations) => terminations.note(),
            Deliveries::Each(counts) => {
                let count = counts.iter().find(|(counted, _)| *counted == signal);
                count.map(|(_, count)| count.fetch_add(1, Ordering::Release).wrapping_add(1))
            }
        }
    }
}

/// The number of terminations, of which those close together count as one.
pub(super) struct Terminations {
    epoch: Instant,

    /// When the last one that counts came, in nanoseconds after the epoch; 0 before the first.
    last: AtomicU64,

    count: AtomicU32,
}

impl Terminations {
    fn new() -> Terminations {
        Terminations {
            epoch: Instant::now(),
            last: AtomicU64::new(0),
            count: AtomicU32::new(0),
        }
    }

    fn note(&self) -> Option<u32> {
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
    fn g12_two_terminations_within_100_ms_count_as_one() {
        let mut terminations = Terminations::new();
        // Until the epoch no time passes.
        let hour = Duration::from_secs(3600);
        terminations.epoch += hour;
        assert_eq!(terminations.note(), Some(1));
        assert_eq!(terminations.note(), None);
        // 100 ms after the epoch, or a little more.
        terminations.epoch -= hour + TOGETHER;
        assert_eq!(terminations.note(), Some(2));
        assert_eq!(terminations.count(), 2);
    }

    #[test]
    fn g12_other_signals_are_never_merged() {
        let deliveries = Deliveries::new(&[Signal::Usr1, Signal::Usr2], false);
        assert_eq!(deliveries.note(Signal::Usr1), Some(1));
        assert_eq!(deliveries.note(Signal::Usr2), Some(1));
        assert_eq!(deliveries.note(Signal::Usr1), Some(2));
    }
}
