//! What forced services to end, in the outcome and in words.

use std::future::pending;
use std::time::Duration;

use async_channel::unbounded;
use futures_lite::future;
use neap::test::Clock;
use neap::{Cause, Error, Force, Group, OnExit};

use crate::run;

/// Runs a group with a service that never ends, and cancels it by a second item of a source, 2 s
/// into its drain.
fn forced_by(first: Cause, second: Cause) -> Error {
    let (clock, (sender, items)) = (Clock::new(), unbounded());
    let mut group = Group::new().clock(&clock).stop_on(items);
    let stops = sender.clone();
    group.add("deaf", |_| pending::<()>());
    group.add("operator", move |scope| async move {
        stops.try_send(first).unwrap();
        scope.stopped().await;
        clock.advance(Duration::from_secs(2));
        stops.try_send(second).unwrap();
    });
    let error = run(group).unwrap_err();
    drop(sender);
    error
}

#[test]
fn a_second_stop_is_named_with_how_long_the_drain_had_lasted() {
    let error = forced_by(Cause::Requested, Cause::Requested);
    assert_eq!(
        error.to_string(),
        "service `deaf` was cancelled by a second request, 2.0s into its drain (stopped by request)"
    );
    let (first, second) = (Cause::Requested, Cause::Requested);
    let force = Force::Again { first, second };
    let outcome = error.outcome().unwrap();
    assert_eq!(outcome.forced_by(), Some(&force));
    let deaf = outcome.stragglers().next().unwrap();
    assert_eq!(deaf.forced_by(), Some(&force));
    assert!(
        deaf.to_string().contains(
            " (after 2.0s, 2.0s after its stop; straggler, forced by a second request, added at "
        ),
        "{deaf}"
    );
}

#[cfg(feature = "signal")]
#[test]
fn two_different_signals_are_both_named() {
    use neap::signal::Signal;
    let error = forced_by(Signal::Int.into(), Signal::Int.into());
    let line = error.to_string();
    assert!(line.contains(" by a second SIGINT, 2.0s into "), "{line}");
    let error = forced_by(Signal::Int.into(), Signal::Term.into());
    let line = error.to_string();
    assert!(
        line.contains(" by SIGTERM after SIGINT, 2.0s into "),
        "{line}"
    );
}

#[test]
fn a_request_and_a_timeout_are_named() {
    let mut group = Group::new();
    let handle = group.handle();
    group.add("deaf", |_| pending::<()>());
    group.add("mute", |_| pending::<()>());
    group.add("impatient", |_| async move { handle.cancel() });
    let line = run(group).unwrap_err().to_string();
    let beginning = "services `deaf`, `mute` were cancelled by request";
    assert!(line.starts_with(beginning), "{line}");

    let mut group = Group::new().drain_timeout(Duration::from_millis(20));
    group.add("deaf", |_| pending::<()>());
    group.add("stop", |_| async {}).on_exit(OnExit::Stop);
    let error = run(group).unwrap_err();
    assert_eq!(
        error.to_string(),
        "service `deaf` did not end within its drain timeout of 20ms (stopped by end of `stop`)"
    );
    let force = Force::Timeout(Duration::from_millis(20));
    assert_eq!(error.outcome().unwrap().forced_by(), Some(&force));
}

#[test]
fn a_timeout_of_its_own_is_told_from_that_of_the_group() {
    let mut group = Group::new().drain_timeout(Duration::from_millis(40));
    group
        .add("hasty", |_| pending::<()>())
        .drain_timeout(Duration::from_millis(10));
    group.add("deaf", |_| pending::<()>());
    group.add("stop", |_| async {}).on_exit(OnExit::Stop);
    let error = run(group).unwrap_err();
    let outcome = error.outcome().unwrap();
    let timeouts = [10, 40].map(|millis| Force::Timeout(Duration::from_millis(millis)));
    let forces: Vec<_> = outcome
        .stragglers()
        .filter_map(|one| one.forced_by())
        .collect();
    assert_eq!(forces, [&timeouts[0], &timeouts[1]]);
    let line = error.to_string();
    let beginning = "service `hasty` did not end within its drain timeout of 10ms; 1 other did not";
    assert!(line.starts_with(beginning), "{line}");
}

#[test]
fn nothing_forced_a_group_that_drained() {
    let mut group = Group::new();
    group.race("race", pending::<()>());
    group
        .add("job", |_| future::ready(()))
        .on_exit(OnExit::Stop);
    let outcome = run(group).unwrap();
    assert_eq!(outcome.forced_by(), None);
    assert!(outcome.reports().all(|report| report.forced_by().is_none()));
}
