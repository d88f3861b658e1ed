//! Restart, as a wrapper of a service: supervision is composed, not configured.

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_lite::{FutureExt, future};

use crate::executor::panic::{Panicked, catch};
use crate::group::scope::Scope;
use crate::members::log;
use crate::service::exit::{End, Exit, Failure};
use crate::service::poll::poll_to_end;
use crate::service::result::ServiceResult;

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
///     (Restart::on_failure(), 5),
///     (Restart::on_failure().intensity(0, Duration::from_secs(1)), 0),
///     (Restart::always().intensity(2, Duration::from_secs(60)), 2),
/// ];
/// for (policy, restarts) in policies {
///     let (runs, mut group) = (AtomicU32::new(0), Group::new());
///     let policy = policy.backoff(Duration::from_millis(1), Duration::from_millis(2));
///     group.add("job", restart(policy, |_| async {
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
    /// At most 5 times within 60 seconds, after 100 milliseconds at first and 10 seconds at the
    /// most, unless set otherwise.
    pub fn on_failure() -> Restart {
        Restart {
            always: false,
            intensity: 5,
            period: Duration::from_secs(60),
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
    /// Zero restarts are none: the first failure is the last.
    pub fn intensity(self, restarts: usize, period: Duration) -> Restart {
        Restart {
            intensity: restarts,
            period,
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

/// Makes a service that runs another, and runs it anew when it ends.
///
/// `factory` is called for each run. What it returns is as any service; so closures and functions
/// that can be called more than once will do, and a nested group is supervised so too:
/// `restart(policy, |scope| make_group().into_service()(scope))`.
///
/// A stop ends the back-off at once. What ends after the stop is not run again, and its end is the
/// service's: a failure then is a failure. A panic counts as one always. Children that a run
/// spawned with [`Scope::spawn`] are the service's, not the run's: they go on, and their failure
/// is the service's. The service is ready once a run of it is.
///
/// # Errors
///
/// [`GaveUp`], once the policy allows no more restarts.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use futures_lite::future;
/// use neap::{GaveUp, Group, Restart, restart};
///
/// let policy = Restart::on_failure()
///     .intensity(2, Duration::from_secs(5))
///     .backoff(Duration::ZERO, Duration::ZERO);
/// let mut runs = 0;
/// let mut group = Group::new();
/// group.add("flaky", restart(policy, |_| {
///     runs += 1;
///     async { Err("connection refused") }
/// }));
/// let error = future::block_on(group.run()).unwrap_err();
///
/// assert_eq!(runs, 3);
/// assert_eq!(
///     error.to_string(),
///     "service `flaky` failed: gave up after 2 restarts within 5s: failed: connection refused"
/// );
/// assert!(error.failure().unwrap().is::<GaveUp>());
/// ```
pub fn restart<'a, M, F>(
    policy: Restart,
    factory: M,
) -> impl FnOnce(Scope<'a>) -> Restarting<'a> + Send + 'a
where
    M: FnMut(Scope<'a>) -> F + Send + 'a,
    F: Future + Send + 'a,
    F::Output: ServiceResult,
{
    move |scope| Restarting(supervise(policy, factory, scope).boxed())
}

/// The restarts of a service that count against its policy.
struct Restarts {
    policy: Restart,

    /// When there were restarts within the period, the oldest first.
    recent: VecDeque<Instant>,
}

impl Restarts {
    /// Returns how long to wait before another restart; `None` if there may be no more.
    fn next(&mut self, now: Instant) -> Option<Duration> {
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

    fn give_up(self, last: Exit) -> End {
        let (restarts, period) = (self.policy.intensity, self.policy.period);
        let gave_up = GaveUp {
            restarts,
            period,
            last,
        };
        End::Failed(Failure::Error(gave_up.into()))
    }
}

/// Runs a service until it may not be run any more.
async fn supervise<'a, M, F>(policy: Restart, mut factory: M, scope: Scope<'a>) -> End
where
    M: FnMut(Scope<'a>) -> F + Send + 'a,
    F: Future + Send + 'a,
    F::Output: ServiceResult,
{
    scope.member().set_restarted();
    let is_always = policy.always;
    let recent = VecDeque::new();
    let mut restarts = Restarts { policy, recent };
    loop {
        let (end, dropped) = run_once(&mut factory, scope.clone()).await;
        let has_failed = matches!(end, End::Failed(_));
        if scope.is_stopped() || (!has_failed && !is_always) {
            if !has_failed {
                scope.member().set_ready();
            }
            return conclude(&scope, end, dropped);
        }
        let last = exit_of(end);
        let now = scope.member().host.timeline.now_instant();
        let Some(delay) = restarts.next(now) else {
            return conclude(&scope, restarts.give_up(last), dropped);
        };
        log::restarting(scope.member(), &last, delay);
        if scope
            .run_until_stopped(back_off(&scope, now, delay))
            .await
            .is_none()
        {
            return End::Finished;
        }
    }
}

/// Waits before a restart; forever, if that is past what an instant can hold.
async fn back_off(scope: &Scope<'_>, now: Instant, delay: Duration) {
    // The others have a turn even if there is no wait: the stop may be among them.
    future::yield_now().await;
    match now.checked_add(delay) {
        Some(at) => scope.member().host.timeline.alarm(at).await,
        None => future::pending().await,
    }
}

/// Runs a service once; a panic is how it ends. Returns also a panic of its destructor.
async fn run_once<'a, M, F>(factory: &mut M, scope: Scope<'a>) -> (End, Result<(), Panicked>)
where
    M: FnMut(Scope<'a>) -> F,
    F: Future + Send + 'a,
    F::Output: ServiceResult,
{
    let member = Arc::clone(scope.member());
    let mut future = match catch(|| factory(scope)) {
        Ok(future) => Box::pin(future),
        Err(panicked) => return (panicked.into(), Ok(())),
    };
    let mut is_first = true;
    let end = poll_fn(|cx| {
        let polled = poll_to_end(future.as_mut(), cx);
        let has_failed = matches!(polled, Poll::Ready(End::Failed(_)));
        if std::mem::take(&mut is_first) && !has_failed {
            member.end_first_poll_of_run();
        }
        polled
    })
    .await;
    match (end, catch(|| drop(future))) {
        (End::Finished | End::Dropped, Err(panicked)) => (panicked.into(), Ok(())),
        (end, dropped) => (end, dropped),
    }
}

/// Returns how the service ends: with the failure of its last run, and then with a panic in the
/// destructor of that.
fn conclude(scope: &Scope<'_>, end: End, dropped: Result<(), Panicked>) -> End {
    match (end, dropped) {
        (End::Failed(failure), Err(panicked)) => {
            scope.member().fail(failure);
            panicked.into()
        }
        (end, _) => end,
    }
}

/// Returns how a run ended.
fn exit_of(end: End) -> Exit {
    match end {
        End::Failed(failure) => failure.into(),
        End::Finished | End::Dropped => Exit::Finished,
    }
}

/// The error of a service that was [restarted](restart) as often as its policy allows.
///
/// Its [`source`](StdError::source) is the error that the last run returned, if it did.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use futures_lite::future;
/// use neap::{GaveUp, Group, Restart, restart};
///
/// let mut group = Group::new();
/// let policy = Restart::on_failure().intensity(0, Duration::from_secs(1));
/// group.add("job", restart(policy, |_| async { Err::<(), _>("xxx") }));
/// let error = future::block_on(group.run()).unwrap_err();
/// let gave_up = error.failure().unwrap().downcast_ref::<GaveUp>().unwrap();
/// assert_eq!(gave_up.to_string(), "gave up after 0 restarts within 1s: failed: xxx");
/// ```
#[derive(Debug)]
pub struct GaveUp {
    restarts: usize,
    period: Duration,
    last: Exit,
}

impl GaveUp {
    /// How the last run ended.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use futures_lite::future;
    /// use neap::{Exit, GaveUp, Group, Restart, restart};
    ///
    /// let mut group = Group::new();
    /// let policy = Restart::on_failure().intensity(0, Duration::from_secs(1));
    /// group.add("job", restart(policy, |_| async { Err::<(), _>("xxx") }));
    /// let error = future::block_on(group.run()).unwrap_err();
    /// let gave_up = error.failure().unwrap().downcast_ref::<GaveUp>().unwrap();
    /// assert!(matches!(gave_up.last(), Exit::Failed(_)));
    /// ```
    pub fn last(&self) -> &Exit {
        &self.last
    }
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (restarts, period, last) = (self.restarts, self.period, &self.last);
        let plural = if restarts == 1 { "" } else { "s" };
        write!(
            f,
            "gave up after {restarts} restart{plural} within {period:?}: {last}"
        )
    }
}

impl StdError for GaveUp {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.last {
            // Its message is in this one already: go on where that ends.
            Exit::Failed(error) => error.source(),
            _ => None,
        }
    }
}

/// The future of a service made by [`restart`].
#[must_use = "futures do nothing unless polled"]
pub struct Restarting<'a>(Pin<Box<dyn Future<Output = End> + Send + 'a>>);

impl Future for Restarting<'_> {
    type Output = End;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End> {
        self.0.poll(cx)
    }
}

impl fmt::Debug for Restarting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restarting").finish_non_exhaustive()
    }
}
