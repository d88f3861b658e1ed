//! A service that is run anew when it ends.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_lite::{FutureExt, future};

use super::policy::{Restart, Restarts};
use crate::executor::kind::{BoxedFuture, Shared, TaskKind};
use crate::executor::panic::{Panicked, catch};
use crate::group::scope::Scope;
use crate::members::log;
use crate::service::exit::{End, Exit};
use crate::service::poll::poll_to_end;
use crate::service::result::ServiceResult;

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
/// [`GaveUp`](crate::GaveUp), once the policy allows no more restarts.
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

/// The future of a service made by [`restart`].
#[must_use = "futures do nothing unless polled"]
pub struct Restarting<'a, K: TaskKind = Shared>(pub(super) BoxedFuture<'a, K, End>);

impl<K: TaskKind> Future for Restarting<'_, K> {
    type Output = End;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<K: TaskKind> fmt::Debug for Restarting<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restarting").finish_non_exhaustive()
    }
}

/// Runs a service until it may not be run any more.
pub(super) async fn supervise<'a, M, F>(policy: Restart, mut factory: M, scope: Scope<'a>) -> End
where
    M: FnMut(Scope<'a>) -> F + 'a,
    F: Future + 'a,
    F::Output: ServiceResult,
{
    scope.member().set_restarted();
    let mut restarts = Restarts::new(policy);
    loop {
        let (end, dropped) = run_once(&mut factory, scope.clone()).await;
        let has_failed = matches!(end, End::Failed(_));
        if scope.is_stopped() || (!has_failed && !restarts.is_always()) {
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
        scope.member().report_restart(&last);
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
    F: Future + 'a,
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
