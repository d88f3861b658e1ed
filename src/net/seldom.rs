//! A log record that is made seldom, however often there is cause for it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::sync::{Mutex, lock};

/// The least time between two records.
const PAUSE: Duration = Duration::from_secs(10);

/// A log record that is made at most once in 10 s, and says how often there was cause for it.
#[derive(Debug, Default)]
pub(crate) struct Seldom {
    causes: AtomicUsize,
    last: Mutex<Option<Instant>>,
}

impl Seldom {
    /// Notes a cause. Calls `say` with the number of those that were not said yet, if it is time for that.
    pub(crate) fn note(&self, now: Instant, say: impl FnOnce(usize)) {
        self.causes.fetch_add(1, Ordering::Relaxed);
        let mut last = lock(&self.last);
        if last.is_some_and(|last| now.saturating_duration_since(last) < PAUSE) {
            return;
        }
        *last = Some(now);
        drop(last);
        say(self.causes.swap(0, Ordering::Relaxed));
    }

    /// Calls `say` with the number of causes that were not said yet, if there are any: nothing is noted any more.
    #[cfg(any(feature = "http", test))]
    pub(crate) fn end(&self, say: impl FnOnce(usize)) {
        match self.causes.swap(0, Ordering::Relaxed) {
            0 => {}
            causes => say(causes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_each_cause_once() {
        let (seldom, start) = (Seldom::default(), Instant::now());
        let mut said = Vec::new();
        for seconds in [0, 1, 9, 10, 11, 30] {
            seldom.note(start + Duration::from_secs(seconds), |causes| {
                said.push((seconds, causes));
            });
        }
        assert_eq!(said, [(0, 1), (10, 3), (30, 2)]);
        seldom.end(|causes| panic!("{causes} are left"));
        seldom.note(start + Duration::from_secs(31), |_| {
            panic!("it is too early")
        });
        let mut left = 0;
        seldom.end(|causes| left = causes);
        assert_eq!(left, 1);
    }
}
