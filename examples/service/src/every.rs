//! A timer whose ticks keep their times, and never overlap.

use std::time::{Duration, Instant};

use smol::Timer;

/// Ticks once in a period, counted from its start: what is done at a tick does not move the next ones.
pub struct Every {
    period: Duration,
    next: Instant,
}

impl Every {
    /// Starts; the first tick is after one period, which must not be zero.
    pub fn new(period: Duration) -> Every {
        let next = Instant::now() + period;
        Every { period, next }
    }

    /// Waits for the next tick, and returns how many were left out, as what came before took so long.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped and made anew at any time.
    pub async fn tick(&mut self) -> u32 {
        let (due, missed) = next_tick(self.next, self.period, Instant::now());
        Timer::at(due).await;
        self.next = due + self.period;
        missed
    }
}

/// Returns the tick to wait for, if `due` is the one after the last; and how many before it are past.
///
/// One that is past by less than a period is not left out: it comes at once.
fn next_tick(due: Instant, period: Duration, now: Instant) -> (Instant, u32) {
    let late = now.saturating_duration_since(due);
    let missed = late.as_nanos() / period.as_nanos().max(1);
    let missed = u32::try_from(missed).unwrap_or(u32::MAX);
    (due + period * missed, missed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_keep_their_times() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let due = start + second;
        for (now, expected, missed) in [
            (0, 1000, 0),
            (999, 1000, 0),
            (1000, 1000, 0),
            (1999, 1000, 0),
            (2000, 2000, 1),
            (61_500, 61_000, 60),
        ] {
            let now = start + Duration::from_millis(now);
            let expected = start + Duration::from_millis(expected);
            assert_eq!(next_tick(due, second, now), (expected, missed));
        }
    }
}
