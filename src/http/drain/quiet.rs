//! Whether a load balancer has noticed that a server stops.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_lite::future::or;

use crate::stop::cause::Cause;
use crate::stop::source::StopSource;
use crate::sync::{Mutex, lock};
use crate::time::time_source::{TimeSource, deadline_from};

/// Whether a load balancer has noticed that a server stops: it was told so, and has sent nothing since.
#[derive(Debug)]
pub(in crate::http) struct Quiet {
    start: Instant,
    /// How long nothing has to come. If that is for ever, nothing is noted.
    quiet: Duration,
    recent: Mutex<Recent>,
    /// Stopped when readiness has been asked, and was denied.
    told: StopSource,
}

/// What keeps it from being quiet. Times are in nanoseconds from the start.
#[derive(Debug, Default)]
struct Recent {
    told: u64,
    /// When requests have come, and how many at once: all that were not taken back, but those since which it
    /// has been quiet.
    requests: BTreeMap<u64, usize>,
}

/// The request of a connection that is noted: when it came, one nanosecond later than in [`Recent`], and zero if
/// there is none. There is one at most, after which the connection closes.
#[derive(Debug, Default)]
pub(in crate::http) struct Noted(AtomicU64);

impl Quiet {
    pub(in crate::http) fn new(start: Instant, quiet: Duration) -> Self {
        Self {
            start,
            quiet,
            recent: Mutex::default(),
            told: StopSource::new(),
        }
    }

    fn nanos(&self, now: Instant) -> u64 {
        let nanos = now.saturating_duration_since(self.start).as_nanos();
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }

    /// Returns when it has been quiet since this.
    fn end(&self, nanos: u64) -> Instant {
        deadline_from(self.start + Duration::from_nanos(nanos), self.quiet)
    }

    /// Notes that a request has come.
    pub(super) fn note(&self, now: Instant, noted: &Noted) {
        if self.quiet == Duration::MAX {
            return;
        }
        let came = self.nanos(now);
        let mut recent = lock(&self.recent);
        while let Some(first) = recent.requests.first_entry() {
            if self.end(*first.key()) > now {
                break;
            }
            first.remove();
        }
        *recent.requests.entry(came).or_default() += 1;
        noted.0.store(came.saturating_add(1), Ordering::Relaxed);
    }

    /// Takes a request back: it was a health check.
    pub(super) fn take_back(&self, noted: &Noted) {
        let Some(came) = noted.0.swap(0, Ordering::Relaxed).checked_sub(1) else {
            return;
        };
        let requests = &mut lock(&self.recent).requests;
        if let Some(count) = requests.get_mut(&came) {
            *count -= 1;
            if *count == 0 {
                requests.remove(&came);
            }
        }
    }

    /// Notes that readiness was asked, and denied.
    pub(super) fn tell(&self, now: Instant) {
        if !self.told.is_stopped() {
            lock(&self.recent).told = self.nanos(now);
            self.told.stop(Cause::Requested);
        }
    }

    /// Returns ready when no request has come for as long as is set, since the balancer was told, and at the end
    /// of `most` in any case.
    pub(super) async fn wait(&self, time: &TimeSource, most: Duration) {
        let over = time.sleep(most);
        let noticed = async {
            self.told.token().stopped().await;
            loop {
                let end = self.end(self.last());
                if end <= time.now() {
                    return;
                }
                time.alarm(end).await;
            }
        };
        or(noticed, over).await;
    }

    /// Returns when the last request came, or the balancer was told.
    fn last(&self) -> u64 {
        let recent = lock(&self.recent);
        let last = recent.requests.last_key_value();
        last.map_or(0, |(came, _)| *came).max(recent.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_checks_at_the_same_time_are_taken_back_whichever_ends_first() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        for order in [[1, 2], [2, 1]] {
            let quiet = Quiet::new(start, second);
            let noted = [(); 4].map(|()| Noted::default());
            for (at, noted) in noted.iter().enumerate() {
                // The last two come in the same instant.
                quiet.note(start + second * at.min(2) as u32 / 4, noted);
            }
            for at in order {
                quiet.take_back(&noted[at]);
                quiet.take_back(&noted[at]);
            }
            assert_eq!(quiet.end(quiet.last()), start + second * 3 / 2);
            quiet.take_back(&noted[3]);
            assert_eq!(quiet.end(quiet.last()), start + second);
        }
    }

    #[test]
    fn what_it_has_been_quiet_since_is_forgotten_and_no_time_is_too_long() {
        let start = Instant::now();
        let quiet = Quiet::new(start, Duration::from_secs(1));
        for at in 0..1000 {
            quiet.note(start + Duration::from_millis(at * 10), &Noted::default());
        }
        assert_eq!(lock(&quiet.recent).requests.len(), 100);
        let long = Quiet::new(start, Duration::MAX - Duration::from_nanos(1));
        assert!(long.end(0) > start + Duration::from_secs(1_000_000));
    }
}
