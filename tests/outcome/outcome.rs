//! The outcome of a group: its text, its times, its exit code.

use std::process::{ExitCode, Termination};
use std::time::Duration;

use futures_lite::future;
use neap::test::Clock;
use neap::{Cause, Error, Group, OnExit, Outcome};

use crate::run;

#[test]
fn an_outcome_reads_well_on_a_terminal() {
    let mut group = Group::new();
    group.race("server", future::pending::<()>());
    group.add("job", |_| async {}).on_exit(OnExit::Stop);
    let outcome = run(group).unwrap();
    let (line, table) = (outcome.to_string(), format!("{outcome:#}"));
    assert!(line.starts_with("stopped by end of `job`, "), "{line}");
    assert!(line.contains("; 2 services ended"), "{line}");
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 3);
    // A race that was dropped at the stop is no trouble.
    assert!(
        lines[1].starts_with("  `server` stopped (after "),
        "{table}"
    );
    assert!(lines[2].starts_with("  `job` finished (after "), "{table}");

    assert_eq!(
        run(Group::new()).unwrap().to_string(),
        "ended: there were no services"
    );
}

#[test]
fn times_are_in_order() {
    let mut group = Group::new();
    let handle = group.handle();
    group.add("service", |scope| async move {
        handle.stop();
        scope.stopped().await;
    });
    let outcome = run(group).unwrap();
    let report = outcome.reports().next().unwrap();
    assert!(report.started().unwrap() <= report.stopped().unwrap());
    assert!(report.stopped().unwrap() <= report.ended().unwrap());
    assert_eq!(
        report.drained(),
        Some(report.ended().unwrap() - report.stopped().unwrap())
    );
    assert!(report.started().unwrap() <= outcome.stopped());
    assert_eq!(*outcome.cause(), Cause::Requested);
}

#[test]
fn an_outcome_and_an_error_are_exit_codes() {
    let outcome = run(Group::new()).unwrap();
    assert_eq!(ExitCode::from(&outcome), ExitCode::SUCCESS);
    assert_eq!(outcome.report(), ExitCode::SUCCESS);

    let mut group = Group::new();
    group.add("bad", |_| async { Err("bad") });
    assert_eq!(ExitCode::from(run(group).unwrap_err()), ExitCode::FAILURE);
}

/// What the signatures promise, checked by the compiler.
#[test]
fn public_types_are_send_and_sync_as_promised() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    send::<Group<'_>>();
    send::<neap::Run<'_>>();
    send::<neap::Task<'_>>();
    send::<neap::StopSource>();
    send::<neap::Stopped>();
    send::<Outcome>();
    send::<Error>();
    send::<neap::Scope<'_>>();
    sync::<neap::Scope<'_>>();
    sync::<neap::Handle<'_>>();
    sync::<neap::StopToken>();
    sync::<Error>();
    sync::<Outcome>();
}

#[test]
fn those_that_never_started_are_counted_apart() {
    let clock = Clock::new();
    let mut group = Group::new().clock(&clock);
    let handle = group.handle();
    group.race("race", std::future::pending::<()>());
    let db = group.add("db", async move |scope| {
        scope.starting();
        clock.advance(Duration::from_secs(2));
        handle.stop();
        scope.stopped().await;
        clock.advance(Duration::from_secs(1));
        Err("no (pool)")
    });
    let db = db.id();
    group.add("http", async |_| {}).needs(db);
    let error = run(group).unwrap_err();
    let outcome = error.outcome().unwrap();
    assert_eq!(
        format!("{outcome:#}"),
        "stopped by request, 2.0s after the start; drained for 1.0s; \
         3 services: 1 ended, 1 failed, 1 not started\
         \n  `race` stopped (after 2.0s, 0s after its stop)\
         \n  `db` failed: no (pool) (after 3.0s, 1.0s after its stop)\
         \n  `http` not started"
    );
}
