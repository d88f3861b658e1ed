//! Whether a load balancer has noticed that a server stops.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_lite::future::or;

use crate::stop::cause::Cause;
use crate::stop::source::StopSource;
use crate::time::time_source::TimeSource;

/// Whether a load balancer has noticed that a server stops: it was told so, and has sent nothing since.
#[derive(Debug)]
pub(in crate::http) struct Quiet {
    start: Instant,
    /// When the last request came, in nanoseconds from `start`.
    last: AtomicU64,
    /// Stopped when readiness has been asked, and was denied.
    told: StopSource,
}

/// A request that is noted: when it came, and the one before it.
#[derive(Debug, Default)]
pub(in crate::http) struct Noted {
    at: AtomicU64,
    before: AtomicU64,
}

impl Quiet {
    pub(in crate::http) fn new(start: Instant) -> Self {
        Self {
            start,
            last: AtomicU64::new(0),
            told: StopSource::new(),
        }
    }

    fn nanos(&self, now: Instant) -> u64 {
        let nanos = now.saturating_duration_since(self.start).as_nanos();
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }

    /// Notes that a request has come.
    pub(super) fn note(&self, now: Instant, noted: &Noted) {
        let now = self.nanos(now);
        noted.at.store(now, Ordering::Relaxed);
        let before = self.last.fetch_max(now, Ordering::Relaxed);
        noted.before.store(before, Ordering::Relaxed);
    }

    /// Takes a request back: it was a health check. If another has come since, there is nothing to take back.
    pub(super) fn take_back(&self, noted: &Noted) {
        let (at, before) = (&noted.at, &noted.before);
        let (at, before) = (at.load(Ordering::Relaxed), before.load(Ordering::Relaxed));
        let _ = self
            .last
            .compare_exchange(at, before, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Notes that readiness was asked, and denied.
    pub(super) fn tell(&self, now: Instant) {
        if !self.told.token().is_stopped() {
            self.last.fetch_max(self.nanos(now), Ordering::Relaxed);
            self.told.stop(Cause::Requested);
        }
    }

    /// Returns ready when no request has come for this long, since the balancer was told, and at the end of
    /// `most` in any case.
    pub(super) async fn wait(&self, time: &TimeSource, quiet: Duration, most: Duration) {
        let over = time.sleep(most);
        let noticed = async {
            self.told.token().stopped().await;
            while let Some(end) = self.end(quiet).filter(|end| *end > time.now()) {
                time.alarm(end).await;
            }
        };
        match quiet {
            Duration::MAX => over.await,
            _ => or(noticed, over).await,
        }
    }

    /// Returns when it has been quiet for this long, if no other request comes.
    fn end(&self, quiet: Duration) -> Option<Instant> {
        let last = Duration::from_nanos(self.last.load(Ordering::Relaxed));
        self.start.checked_add(last)?.checked_add(quiet)
    }
}
