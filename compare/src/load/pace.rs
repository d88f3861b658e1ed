//! A fixed rate.

use std::time::{Duration, Instant};

/// When requests are due: one after the other, evenly, whatever becomes of them.
///
/// A request counts from when it was due, also if no connection was free then. Otherwise a server that
/// stops for a moment would be asked less often in that moment, and its worst would not be seen: what
/// is called coordinated omission.
#[derive(Debug)]
pub(super) struct Pace {
    began: Instant,
    per_second: f64,
    taken: u32,
}

impl Pace {
    pub(super) fn new(began: Instant, per_second: f64) -> Pace {
        Pace {
            began,
            per_second,
            taken: 0,
        }
    }

    /// Takes the next request that is due, and returns since when it is.
    pub(super) fn take(&mut self, now: Instant) -> Option<Instant> {
        let offset = f64::from(self.taken) / self.per_second;
        let due = self.began + Duration::from_secs_f64(offset);
        if due > now {
            return None;
        }
        self.taken += 1;
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Pace;

    #[test]
    fn what_was_not_sent_in_time_is_due_since_then() {
        let began = Instant::now();
        let after = |millis| began + Duration::from_millis(millis);
        let mut pace = Pace::new(began, 100.0);
        let due: Vec<_> = std::iter::from_fn(|| pace.take(after(25))).collect();
        assert_eq!(due, [after(0), after(10), after(20)]);
        assert_eq!(pace.take(after(29)), None);
        assert_eq!(pace.take(after(99)), Some(after(30)));
    }
}
