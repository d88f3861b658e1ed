//! When, how soon and how often a service is restarted.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::service::exit::{End, Exit, Failure};
use crate::service::gave_up::GaveUp;

/// How often the wait before a restart is doubled at the most.
const DOUBLINGS: usize = 31;

/// When, how soon and how often a service is restarted.
///
/// *Intensity* and *period* are the terms of OTP's supervisors: at most that many restarts within
/// any period. With one more than that the service has failed.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::time::Duration;
/// use futures_lite::future;
/// use neap::{Group, Restart, restart};
///
/// let policies = [
///     (Restart::on_failure(), 60),
///     (Restart::on_failure().intensity(0, Duration::from_secs(1)), 0),
///     (Restart::always().intensity(2, Duration::from_secs(60)), 2),
/// ];
/// for (policy, restarts) in policies {
///     let (runs, mut group) = (AtomicU32::new(0), Group::new());
///     let policy = policy.backoff(Duration::from_millis(1), Duration::from_millis(2));
///     group.add("job", restart(policy, async |_| {
///         runs.fetch_add(1, Ordering::Relaxed);
///         Err::<(), _>("xxx")
///     }));
///     future::block_on(group.run()).unwrap_err();
///     assert_eq!(runs.load(Ordering::Relaxed), restarts + 1);
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Restart {
    always: bool,
    intensity: usize,
    period: Duration,
    shortest: Duration,
    longest: Duration,
}

impl Restart {
    /// Restarts a service that fails or panics; one that finishes has ended.
    ///
    /// At most 60 times within 30 minutes, after 100 milliseconds at first and 10 seconds at the
    /// most, unless set otherwise:
    ///
    /// - The longest wait is reached with the 8th restart. The 7 before it wait 0.1, 0.2, 0.4 ..
    ///   6.4 seconds, which is 12.7 in all, or half of that if chance has each at its shortest.
    /// - 60 waits are 12.7 + 53 × 10 = 543 seconds, or half of that. So an outage of 4 minutes is
    ///   survived whatever the luck, and the service is back within 10 seconds of its end. A
    ///   service that fails at once each time ends the program after 4.5 to 9 minutes.
    /// - 60 runs of 20 seconds and the waits between them fit into 30 minutes. So a service that
    ///   takes 20 seconds to fail, as a connect may, ends the program too, after half an hour.
    pub fn on_failure() -> Restart {
        Restart {
            always: false,
            intensity: 60,
            period: Duration::from_secs(30 * 60),
            shortest: Duration::from_millis(100),
            longest: Duration::from_secs(10),
        }
    }

    /// Restarts a service however it ends, until the stop. The rest is as for
    /// [`on_failure`](Restart::on_failure), and restarts after a good end count as well.
    pub fn always() -> Restart {
        Restart {
            always: true,
            ..Restart::on_failure()
        }
    }

    /// Sets how many restarts there may be within any period of this length.
    ///
    /// Zero restarts are none: the first failure is the last. For any number of them, see
    /// [`unlimited`](Restart::unlimited). With fewer than 8, the longest back-off that is set
    /// [by default](Restart::on_failure) is not reached.
    pub fn intensity(self, restarts: usize, period: Duration) -> Restart {
        Restart {
            intensity: restarts,
            period,
            ..self
        }
    }

    /// Restarts the service as often as it takes. It never [gives up](crate::GaveUp).
    ///
    /// The waits are as long as ever, and what is remembered of the restarts does not grow.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use futures_lite::future;
    /// use neap::{Group, Restart, restart, test::Clock};
    ///
    /// let (mut runs, clock) = (0, Clock::new());
    /// let mut group = Group::new().clock(&clock);
    /// group.add("db", restart(Restart::on_failure().unlimited(), |_| {
    ///     runs += 1;
    ///     let result = if runs < 1000 { Err("no connection") } else { Ok(()) };
    ///     async move { result }
    /// }));
    /// let day = clock.advance(Duration::from_secs(24 * 3600));
    /// future::block_on(future::zip(group.run(), day)).0?;
    /// assert_eq!(runs, 1000);
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn unlimited(self) -> Restart {
        Restart {
            intensity: usize::MAX,
            ..self
        }
    }

    /// Sets how long to wait before a restart: from `shortest`, doubled for each other restart
    /// within the period, up to `longest`.
    ///
    /// The wait is that or, at random, as little as half of it, so that services which failed
    /// together do not come back together. Zero is to restart at once.
    pub fn backoff(self, shortest: Duration, longest: Duration) -> Restart {
        Restart {
            shortest,
            longest,
            ..self
        }
    }

    /// Returns how long to wait after this many restarts within the period.
    fn delay(&self, recent: usize) -> Duration {
        let doubled = 1u32
            .checked_shl(recent.min(DOUBLINGS) as u32)
            .unwrap_or(u32::MAX);
        let half = self.shortest.saturating_mul(doubled).min(self.longest) / 2;
        half + half.mul_f64(fastrand::f64())
    }
}

/// The restarts of a service that count against its policy.
pub(super) struct Restarts {
    policy: Restart,

    /// When there were restarts within the period, the oldest first.
    recent: VecDeque<Instant>,
}

impl Restarts {
    pub(super) fn new(policy: Restart) -> Restarts {
        let recent = VecDeque::new();
        Restarts { policy, recent }
    }

    /// Returns true if a service is restarted also after it has finished.
    pub(super) fn is_always(&self) -> bool {
        self.policy.always
    }

    /// Returns how long to wait before another restart; `None` if there may be no more.
    pub(super) fn next(&mut self, now: Instant) -> Option<Duration> {
        let Restart {
            period, intensity, ..
        } = self.policy;
        let is_old = |at: &Instant| now.saturating_duration_since(*at) >= period;
        while self.recent.front().is_some_and(is_old) {
            self.recent.pop_front();
        }
        if self.recent.len() >= intensity {
            return None;
        }
        let delay = self.policy.delay(self.recent.len());
        if intensity == usize::MAX && self.recent.len() > DOUBLINGS {
            // There is no limit to count for, and the delay does not grow any more.
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        Some(delay)
    }

    pub(super) fn give_up(self, last: Exit) -> End {
        let (restarts, period) = (self.policy.intensity, self.policy.period);
        let gave_up = GaveUp::new(restarts, period, last);
        End::Failed(Failure::Error(gave_up.into()))
    }
}
