//! Restart as a wrapper of a service, on every runtime.

mod runtimes;
mod support;

use std::error::Error as _;
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_lite::future;
use neap::test::{Clock, Event, Recorder};
use neap::{Cause, Exit, GaveUp, Group, Restart, Scope, restart};
use runtimes::{limited, on_all};
use support::{Notes, exits, stop_once_started};

/// A policy that does not wait.
fn at_once(policy: Restart) -> Restart {
    policy.backoff(Duration::ZERO, Duration::ZERO)
}

const LONG: Duration = Duration::from_secs(3600);

#[test]
fn a_failure_is_restarted_and_a_good_end_is_the_end() {
    on_all(|runtime| async move {
        let (mut group, notes) = (runtime.group(), Notes::new());
        let (noted, mut run) = (notes.clone(), 0);
        let flaky = move |_: Scope<'static>| {
            run += 1;
            noted.note(format!("run {run}"));
            async move {
                future::yield_now().await;
                if run < 3 { Err("xxx") } else { Ok(()) }
            }
        };
        group.add("flaky", restart(at_once(Restart::on_failure()), flaky));
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Ended);
        assert_eq!(notes.all(), ["run 1", "run 2", "run 3"]);
    });
}

#[test]
fn panics_in_the_factory_a_poll_or_a_destructor_count_as_failures() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let mut run = 0;
        let panicking = move |_: Scope<'static>| {
            run += 1;
            assert!(run != 1, "in the factory");
            async move {
                struct OnDrop(u32);
                impl Drop for OnDrop {
                    fn drop(&mut self) {
                        assert!(self.0 != 3, "in a destructor");
                    }
                }
                let _guard = OnDrop(run);
                future::yield_now().await;
                assert!(run != 2, "in a poll");
            }
        };
        group.add(
            "panicking",
            restart(at_once(Restart::on_failure()), panicking),
        );
        group.run().await.unwrap();
    });
}

#[test]
fn after_too_many_restarts_within_the_period_it_has_failed() {
    on_all(|runtime| async move {
        let (mut group, runs) = (runtime.group(), Arc::new(AtomicUsize::new(0)));
        let counted = runs.clone();
        let refused = move |_: Scope<'static>| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Err::<(), _>(io::Error::other("refused")) }
        };
        let policy = at_once(Restart::on_failure()).intensity(4, LONG);
        group.add("db", restart(policy, refused));
        let error = group.run().await.unwrap_err();
        assert_eq!(runs.load(Ordering::SeqCst), 5);
        assert_eq!(
            error.to_string(),
            "service `db` failed: gave up after 4 restarts within 3600s: failed: refused"
        );
        let gave_up = error.failure().unwrap().downcast_ref::<GaveUp>().unwrap();
        let Exit::Failed(last) = gave_up.last() else {
            panic!("{gave_up:?}");
        };
        assert!(last.is::<io::Error>() && gave_up.source().is_none());
    });
}

#[test]
fn restarts_before_the_period_are_forgotten() {
    on_all(|runtime| async move {
        let (mut group, mut run) = (runtime.group(), 0);
        let flaky = move |_: Scope<'static>| {
            run += 1;
            async move { if run < 20 { Err("xxx") } else { Ok(()) } }
        };
        // Each wait is longer than the period.
        let policy = Restart::on_failure()
            .intensity(1, Duration::from_micros(100))
            .backoff(Duration::from_millis(1), Duration::from_millis(1));
        group.add("flaky", restart(policy, flaky));
        group.run().await.unwrap();
    });
}

#[test]
fn an_intensity_of_zero_means_no_restart() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let policy = Restart::on_failure().intensity(0, LONG);
        group.add("once", restart(policy, |_| async { Err("xxx") }));
        let error = group.run().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "service `once` failed: gave up after 0 restarts within 3600s: failed: xxx"
        );
    });
}

#[test]
fn always_restarts_what_finishes_until_the_stop() {
    on_all(|runtime| async move {
        let (mut group, mut run) = (runtime.group(), 0);
        let handle = group.handle();
        let finishing = move |_: Scope<'static>| {
            run += 1;
            if run == 10 {
                handle.stop();
            }
            async {}
        };
        let policy = at_once(Restart::always()).intensity(usize::MAX, LONG);
        group.add("finishing", restart(policy, finishing));
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Requested);
    });
}

#[test]
fn the_stop_ends_the_back_off_at_once() {
    on_all(|runtime| async move {
        let recorder = Recorder::new();
        let mut group = runtime.group().drain_timeout(LONG).record(&recorder);
        let policy = Restart::on_failure().backoff(LONG, LONG);
        group.add("failing", restart(policy, |_| async { Err("xxx") }));
        let handle = group.handle();
        group.add("operator", move |_| async move {
            let is_restart = |event: &Event| matches!(event, Event::Restarting(..));
            recorder.wait_for(is_restart).await;
            handle.stop();
        });
        let outcome = group.run().await.unwrap();
        assert_eq!(exits(&outcome), ["finished"; 2]);
    });
}

#[test]
fn a_failure_after_the_stop_is_not_restarted_and_is_returned() {
    on_all(|runtime| async move {
        let (mut group, mut run) = (runtime.group(), 0);
        let stubborn = move |scope: Scope<'static>| {
            run += 1;
            assert_eq!(run, 1);
            async move {
                scope.stopped().await;
                Err("could not flush")
            }
        };
        group.add("stubborn", restart(at_once(Restart::always()), stubborn));
        stop_once_started(&mut group);
        let error = group.run().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "service `stubborn` failed: could not flush"
        );
    });
}

#[test]
fn a_nested_group_is_supervised_too() {
    on_all(|runtime| async move {
        let (mut group, mut run) = (runtime.group(), 0);
        let workers = move |scope: Scope<'static>| {
            run += 1;
            let mut workers = runtime.group();
            let handle = workers.handle();
            workers.add("steady", |scope| async move { drop(scope.stopped().await) });
            workers.add("flaky", move |_| async move {
                if run < 3 {
                    return Err("xxx");
                }
                handle.stop();
                Ok(())
            });
            workers.into_service()(scope)
        };
        group.add("workers", restart(at_once(Restart::on_failure()), workers));
        group.run().await.unwrap();
    });
}

#[test]
fn what_a_run_owned_is_dropped_before_the_next_run() {
    on_all(|runtime| async move {
        let (mut group, notes) = (runtime.group(), Notes::new());
        let (noted, mut run) = (notes.clone(), 0);
        let flaky = move |_: Scope<'static>| {
            run += 1;
            let noted = noted.clone();
            async move {
                noted.note("up");
                let _gone = noted.on_drop("gone");
                if run < 2 { Err("xxx") } else { Ok(()) }
            }
        };
        group.add("flaky", restart(at_once(Restart::on_failure()), flaky));
        group.run().await.unwrap();
        assert_eq!(notes.all(), ["up", "gone", "up", "gone"]);
    });
}

#[test]
fn a_restarted_service_may_borrow_and_can_be_cancelled() {
    limited(|| {
        let text = String::from("borrowed");
        let mut group = Group::new().drain_timeout(Duration::ZERO);
        let borrowed = &text;
        let deaf = move |_: Scope<'_>| async move {
            assert_eq!(borrowed, "borrowed");
            pending::<()>().await;
        };
        group.add("deaf", restart(Restart::always(), deaf));
        let handle = group.handle();
        group.add("end", |_| async move { handle.cancel() });
        assert!(future::block_on(group.run()).unwrap_err().is_timeout());
    });
}

/// Runs a service that fails while an outage lasts, `takes` after the start of each run; returns when
/// each run began, and how the group ended.
async fn through_an_outage(
    mut group: Group<'static>,
    policy: Restart,
    outage: Duration,
    takes: Duration,
) -> (Vec<Duration>, Result<neap::Outcome, neap::Error>) {
    let clock = Clock::new();
    group = group.clock(&clock);
    let (began, all) = async_channel::unbounded();
    let (start, hand) = (clock.now(), clock.clone());
    let service = move |_: Scope<'static>| {
        let at: Instant = hand.now();
        began.try_send(at - start).unwrap();
        let hand = hand.clone();
        async move {
            if at - start < outage {
                hand.sleep(takes).await;
                return Err("no connection");
            }
            Ok(())
        }
    };
    group.add("db", restart(policy, service));
    let week = clock.advance(Duration::from_secs(7 * 24 * 3600));
    let (ended, ()) = future::zip(group.run(), week).await;
    (std::iter::from_fn(|| all.try_recv().ok()).collect(), ended)
}

#[test]
fn by_default_an_outage_of_four_minutes_is_survived() {
    on_all(|runtime| async move {
        let (outage, policy) = (Duration::from_secs(4 * 60), Restart::on_failure());
        let (runs, ended) =
            through_an_outage(runtime.group(), policy, outage, Duration::ZERO).await;
        ended.unwrap();
        let back = *runs.last().unwrap() - outage;
        assert!(back <= Duration::from_secs(10), "{back:?}");
    });
}

#[test]
fn by_default_the_longest_back_off_is_reached_and_the_program_ends_within_minutes() {
    on_all(|runtime| async move {
        let (policy, zero) = (Restart::on_failure(), Duration::ZERO);
        let (runs, ended) = through_an_outage(runtime.group(), policy, LONG, zero).await;
        let error = ended.unwrap_err();
        assert!(error.failure().unwrap().is::<GaveUp>());
        assert_eq!(runs.len(), 61);
        let (from, to) = (Duration::from_secs(271), Duration::from_secs(543));
        assert!((from..=to).contains(&runs[60]), "{:?}", runs[60]);
        // From the 8th restart on each wait is the longest, or as little as half of it.
        let waits = runs.windows(2).map(|pair| pair[1] - pair[0]);
        let longest = Duration::from_secs(5)..=Duration::from_secs(10);
        let is_longest: Vec<_> = waits.map(|wait| longest.contains(&wait)).collect();
        assert!(is_longest[7..].iter().all(|&is_longest| is_longest));
    });
}

#[test]
fn by_default_a_service_that_takes_twenty_seconds_to_fail_ends_the_program_too() {
    on_all(|runtime| async move {
        let (policy, takes) = (Restart::on_failure(), Duration::from_secs(20));
        let (runs, ended) = through_an_outage(runtime.group(), policy, LONG, takes).await;
        assert!(ended.unwrap_err().failure().unwrap().is::<GaveUp>());
        assert_eq!(runs.len(), 61);
        assert!(runs[60] < Duration::from_secs(30 * 60), "{:?}", runs[60]);
    });
}

#[test]
fn without_a_cap_a_service_is_restarted_for_days() {
    on_all(|runtime| async move {
        let (policy, days) = (
            Restart::on_failure().unlimited(),
            Duration::from_secs(2 * 86400),
        );
        let (runs, ended) = through_an_outage(runtime.group(), policy, days, LONG / 60).await;
        ended.unwrap();
        let back = *runs.last().unwrap() - days;
        assert!(back <= LONG / 60 + Duration::from_secs(10), "{back:?}");
    });
}
