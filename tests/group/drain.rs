//! The drain: deadlines, what is cancelled at them, and what is abandoned after that.

use std::future::pending;
use std::mem;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use futures_lite::future;
use neap::test::Clock;
use neap::{Exit, Group, OnExit, Scope};

use crate::runtimes::{Executor, Gate, InPlace, InPlaceOnSmol, THREADED, on, on_all};
use crate::support::{Notes, exit_of, exits, stragglers};

#[test]
fn g09_from_the_stop_on_a_service_has_until_the_deadline_and_then_is_dropped() {
    on_all(|runtime| async move {
        let timeout = Duration::from_millis(30);
        let mut group = runtime.group().drain_timeout(timeout);
        let (notes, handle) = (Notes::new(), group.handle());
        let (own, child, stopper) = (notes.clone(), notes.clone(), Gate::new());
        let ready = stopper.clone();
        group.add("deaf", move |scope| async move {
            let _own = own.on_drop("service dropped");
            let _child = child.on_drop("child dropped");
            scope.spawn(async move {
                let _child = _child;
                pending::<()>().await;
            });
            ready.open();
            pending::<()>().await;
        });
        group.add("stopper", move |_| async move {
            stopper.pass().await;
            handle.stop();
        });
        let begin = Instant::now();
        let error = group.run().await.unwrap_err();
        assert!(begin.elapsed() >= timeout);

        // `run` has waited for both drops.
        let mut events = notes.all();
        events.sort();
        assert_eq!(events, ["child dropped", "service dropped"]);
        assert!(error.is_timeout());
        assert_eq!(error.service(), Some("deaf"));
        let outcome = error.outcome().unwrap();
        assert_eq!(stragglers(outcome), ["deaf"]);
        assert!(matches!(exit_of(outcome, "deaf"), Exit::Cancelled));
        assert!(outcome.drained() >= timeout);
    });
}

#[test]
fn g09_its_own_timeout_is_within_that_of_the_group() {
    on_all(|runtime| async move {
        let mut group = runtime.group().drain_timeout(Duration::MAX);
        let (notes, gate) = (Notes::new(), Gate::new());
        let (deaf, patient, opener) = (notes.clone(), notes.clone(), gate.clone());
        let second = Gate::new();
        let second_opener = second.clone();
        group
            .add("deaf", move |_| async move {
                let _guard = deaf.on_drop("deaf dropped");
                opener.open();
                pending::<()>().await;
            })
            .drain_timeout(Duration::from_millis(10));
        group.add("patient", move |scope| async move {
            second_opener.open();
            scope.stopped().await;
            assert_eq!(scope.deadline(), None, "Duration::MAX is for ever");
            // Only the other's cancellation lets this one end.
            patient.wait_for(1).await;
            patient.note("patient ended");
        });
        group.add("stopper", move |scope| async move {
            gate.pass().await;
            second.pass().await;
            scope.spawn(async { Err::<(), _>("stop") });
        });
        let error = group.run().await.unwrap_err();
        assert_eq!(notes.all(), ["deaf dropped", "patient ended"]);
        assert_eq!(stragglers(error.outcome().unwrap()), ["deaf"]);
    });
}

#[test]
fn g09_a_drain_timeout_of_zero_cancels_what_does_not_end_at_once() {
    on(&[InPlace, InPlaceOnSmol, Executor], |runtime| async move {
        let mut group = runtime.group().drain_timeout(Duration::ZERO);
        group.race("race", pending::<()>());
        group.add("obedient", |scope| async move {
            scope.stopped().await;
        });
        group.add("deaf", |_| pending::<()>());
        group
            .add("short", |_| async { future::yield_now().await })
            .on_exit(OnExit::Stop);
        let error = group.run().await.unwrap_err();
        let outcome = error.outcome().unwrap();
        let expected = ["stopped", "finished", "cancelled", "finished"];
        assert_eq!(exits(outcome), expected);
        assert_eq!(stragglers(outcome), ["deaf"]);
    });
}

#[test]
fn g10_a_service_that_blocks_its_thread_is_named_as_abandoned() {
    on(&THREADED, |runtime| async move {
        let group = runtime.group().drain_timeout(Duration::ZERO);
        let mut group = group.cancel_timeout(Duration::from_millis(20));
        let (release, blocked) = mpsc::channel::<()>();
        let (handle, gate) = (group.handle(), Gate::new());
        let opener = gate.clone();
        group.add("blocked", move |_| async move {
            opener.open();
            let _ = blocked.recv();
        });
        let stopping = std::thread::spawn(move || {
            futures_lite::future::block_on(gate.pass());
            handle.stop();
        });
        let error = group.run().await.unwrap_err();
        stopping.join().unwrap();
        let outcome = error.outcome().unwrap();
        assert_eq!(exits(outcome), ["abandoned"]);
        let line = error.to_string();
        let abandoned =
            "; 1 was abandoned, as it blocks its thread or had no turn (stopped by request)";
        assert!(line.ends_with(abandoned), "{line}");
        assert_eq!(outcome.reports().next().unwrap().ended(), None);
        drop(release);
    });
}

#[test]
fn g19_stragglers_are_named_with_where_they_were_added() {
    on_all(|runtime| async move {
        let mut group = runtime.group().drain_timeout(Duration::from_millis(5));
        let started = Gate::new();
        let ready = started.clone();
        let deaf = move |_| {
            ready.open();
            pending::<()>()
        };
        let line = line!() + 1;
        group.add("deaf", deaf);
        group
            .add("short", move |_| async move { started.pass().await })
            .on_exit(OnExit::Stop);
        let error = group.run().await.unwrap_err();
        let straggler = error.outcome().unwrap().stragglers().next().unwrap();
        assert_eq!(straggler.name(), "deaf");
        assert_eq!(straggler.location().file(), file!());
        assert_eq!(straggler.location().line(), line);
        assert!(
            straggler
                .to_string()
                .contains(&format!("added at {}:{line}", file!()))
        );
    });
}

#[test]
fn the_budget_of_a_stop_is_what_a_service_that_never_lets_go_takes() {
    let forever = Duration::MAX;
    assert_eq!(
        Group::new().stop_budget(),
        Some(Duration::from_millis(10_500))
    );
    assert_eq!(Group::new().drain_timeout(forever).stop_budget(), None);
    assert_eq!(Group::new().cancel_timeout(forever).stop_budget(), None);
    let zero = Group::new().drain_timeout(Duration::ZERO);
    let zero = zero.cancel_timeout(Duration::ZERO);
    assert_eq!(zero.stop_budget(), Some(Duration::ZERO));

    let clock = Clock::new();
    let mut group = Group::new()
        .clock(&clock)
        .drain_timeout(Duration::from_secs(45))
        .cancel_timeout(Duration::from_secs(3));
    group.add("holds on", async |scope| {
        mem::forget(scope.guard());
        pending::<()>().await;
    });
    group.add("operator", async |scope| {
        scope.stop();
    });
    let (budget, begin) = (group.stop_budget(), clock.now());
    clock.block_on(group.run()).unwrap_err();
    assert_eq!(Some(clock.now() - begin), budget);
}

#[test]
fn the_budget_holds_whatever_nested_groups_and_services_allow_themselves() {
    let times = [Duration::ZERO, Duration::from_secs(10), Duration::MAX];
    let all = times
        .iter()
        .flat_map(|drain| times.iter().map(move |cancel| (*drain, *cancel)));
    for (drain, cancel) in all {
        let clock = Clock::new();
        let holds_on = async |scope: Scope<'_>| {
            mem::forget(scope.guard());
            pending::<()>().await;
        };
        let nested = |depth| {
            let mut inner = Group::new().drain_timeout(drain).cancel_timeout(cancel);
            inner
                .add(format!("holds on at {depth}"), holds_on)
                .drain_timeout(drain);
            inner
        };
        let mut inner = nested(2);
        inner.add("innermost", nested(3).into_service());
        let mut group = Group::new()
            .clock(&clock)
            .drain_timeout(Duration::from_secs(2))
            .cancel_timeout(Duration::from_secs(1));
        let below = group.add("below", inner.into_service()).id();
        group
            .add("holds on", holds_on)
            .needs(below)
            .drain_timeout(drain);
        group.add("operator", async |scope| {
            scope.stop();
        });
        let (budget, begin) = (group.stop_budget().unwrap(), clock.now());
        clock.block_on(group.run()).unwrap_err();
        let took = clock.now() - begin;
        assert!(took <= budget, "{drain:?} and {cancel:?} took {took:?}");
    }
}

#[test]
fn the_budget_has_the_cancel_timeout_of_each_service_that_others_wait_for() {
    for (depth, in_background) in [(1, false), (2, false), (5, false), (1, true), (3, true)] {
        let clock = Clock::new();
        let holds_on = async |scope: Scope<'_>| {
            mem::forget(scope.guard());
            pending::<()>().await;
        };
        let mut group = Group::new()
            .clock(&clock)
            .drain_timeout(Duration::from_secs(2))
            .cancel_timeout(Duration::from_secs(1));
        let mut last = None;
        for at in 0..depth {
            let added = group.add(format!("service {at}"), holds_on);
            let added = match last {
                Some(last) => added.needs(last),
                None => added,
            };
            last = Some(added.id());
        }
        if in_background {
            group.add("in the background", holds_on).background();
        }
        group.add("operator", async |scope| {
            scope.stop();
        });
        let (budget, begin) = (group.stop_budget(), clock.now());
        clock.block_on(group.run()).unwrap_err();
        let took = clock.now() - begin;
        assert!(Some(took) <= budget, "{depth}, {in_background}: {took:?}");
        let rounds = depth + u64::from(in_background);
        assert_eq!(budget, Some(Duration::from_secs(2 + rounds)));
        assert!(in_background || Some(took) == budget, "{depth}: {took:?}");
    }
}
