//! The outcome of a group: its text, its times, its exit code.

use std::process::{ExitCode, Termination};

use futures_lite::future;
use neap::{Cause, Error, Group, OnExit, Outcome};

use crate::run;

#[test]
fn an_outcome_reads_well_on_a_terminal() {
    let mut group = Group::new();
    group.race("server", future::pending::<()>());
    group.add("job", |_| async {}).on_exit(OnExit::Stop);
    let outcome = run(group).unwrap();
    let (line, table) = (outcome.to_string(), format!("{outcome:#}"));
    assert!(line.starts_with("stopped by end of `job` after "), "{line}");
    assert!(line.contains(": 2 services ended in "), "{line}");
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 3);
    // A race that was dropped at the stop is no trouble.
    assert!(lines[1].starts_with("  `server` stopped after "), "{table}");
    assert!(lines[2].starts_with("  `job` finished after "), "{table}");

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
