//! The watchdog ends the process, so each scenario is a process of its own.

use std::future::pending;
use std::process::Output;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future;
use neap::{Group, Scope, WATCHDOG_EXIT_CODE};

use crate::runtimes::limited;
use crate::support::{scenario, scenario_name};

const FOR_EVER: Duration = Duration::from_secs(3600);

/// Runs a scenario to its end.
fn run(name: &str) -> Output {
    let mut command = scenario("watchdog::child", name);
    limited(move || command.output().unwrap())
}

/// A group that does not drain for long.
fn short() -> Group<'static> {
    Group::new()
        .drain_timeout(Duration::from_millis(50))
        .cancel_timeout(Duration::from_millis(50))
}

#[test]
fn a_service_that_blocks_the_executor_is_reported_and_the_process_ended() {
    for name in ["blocks after the stop", "blocks before the stop"] {
        let since = Instant::now();
        let output = run(name);
        assert_eq!(output.status.code(), Some(WATCHDOG_EXIT_CODE));
        assert!(since.elapsed() >= Duration::from_millis(100));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("neap: a service blocks the executor"),
            "{said}"
        );
        assert!(
            said.contains("`blocking`") && said.contains("watchdog.rs"),
            "{said}"
        );
        assert!(!said.contains("`finished`"), "{said}");
    }
}

#[test]
fn a_group_that_ends_in_time_is_not_ended_by_the_watchdog() {
    let output = run("is cancelled in time");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && said.contains("ended: false"),
        "{said}"
    );
}

/// Not a test: what the processes of this file run.
#[test]
#[ignore = "run by the other tests, in processes of their own"]
fn child() {
    let Some(name) = scenario_name() else { return };
    let group = match name.as_str() {
        "blocks after the stop" => blocks_after_the_stop(),
        "blocks before the stop" => blocks_before_the_stop(),
        "is cancelled in time" => is_cancelled_in_time(),
        other => panic!("no such scenario: {other}"),
    };
    let ended = future::block_on(group.run());
    // Longer than any watchdog would have waited.
    thread::sleep(Duration::from_millis(900));
    println!("ended: {}", ended.is_ok());
}

fn blocks_after_the_stop() -> Group<'static> {
    let mut group = short();
    let handle = group.handle();
    handle.watchdog().unwrap();
    group.add("blocking", |scope: Scope<'static>| async move {
        scope.stopped().await;
        thread::sleep(FOR_EVER);
    });
    group.add("finished", |_| async {});
    group.add("stopping", |_| async move {
        handle.stop();
    });
    group
}

fn blocks_before_the_stop() -> Group<'static> {
    let mut group = short();
    let handle = group.handle();
    handle.watchdog().unwrap();
    let (blocks, blocked) = mpsc::channel();
    group.add("blocking", |_| async move {
        blocks.send(()).unwrap();
        thread::sleep(FOR_EVER);
    });
    thread::spawn(move || {
        blocked.recv().unwrap();
        handle.stop();
    });
    group
}

fn is_cancelled_in_time() -> Group<'static> {
    let mut group = short().cancel_timeout(Duration::from_millis(600));
    let handle = group.handle();
    handle.watchdog().unwrap();
    group.add("deaf", |_| pending::<()>());
    group.add("stopping", |_| async move {
        handle.stop();
    });
    group
}
