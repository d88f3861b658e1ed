//! What a group tells standard error. That belongs to a process, so each story has a child process.

mod runtimes;
mod support;

use std::future::pending;
use std::process::Command;
use std::time::Duration;

use futures_lite::future;
use neap::test::Clock;
use neap::{Cause, Group, OnExit, Restart, restart};
use support::{Process, scenario, scenario_name};

/// Runs one story, and returns the lines that neap has told.
fn told(story: &str) -> Vec<String> {
    told_by(&mut scenario("child", story))
}

fn told_by(command: &mut Command) -> Vec<String> {
    let (status, text) = Process::read_stderr(command.env_remove("RUST_BACKTRACE")).wait();
    assert!(status.success(), "{status}: {text}");
    let lines = text.lines().filter(|line| line.starts_with("neap: "));
    lines.map(str::to_owned).collect()
}

/// Checks each line against a pattern, in which `*` stands for any text.
#[track_caller]
fn check(lines: &[String], patterns: &[&str]) {
    assert_eq!(lines.len(), patterns.len(), "{lines:#?}");
    for (line, pattern) in lines.iter().zip(patterns) {
        let mut rest = line.as_str();
        for (index, part) in pattern.split('*').enumerate() {
            let at = rest.find(part);
            let at = at.filter(|&at| index > 0 || at == 0);
            rest = &rest[at.unwrap_or_else(|| panic!("{pattern}: {line}")) + part.len()..];
        }
        assert!(
            rest.is_empty() || pattern.ends_with('*'),
            "{pattern}: {line}"
        );
    }
}

#[test]
fn a_group_that_is_not_to_narrate_is_silent() {
    check(&told("silent"), &[]);
}

#[test]
fn a_failure_has_its_causes_and_the_end_is_told() {
    check(
        &told("failure"),
        &[
            "neap: `db` failed: no pool: connection refused",
            "neap: stopping: failure of `db`; waiting up to 10s for `race`, `http`",
            "neap: stopped by failure of `db`, * after the start; drained for *; 3 services: 2 ended, 1 failed",
        ],
    );
}

#[test]
fn a_restart_is_told() {
    check(
        &told("restart"),
        &[
            "neap: `db` failed: no pool: connection refused; restarting it in *",
            "neap: ended: all services finished after *",
        ],
    );
}

#[test]
fn a_long_drain_shows_life_each_second() {
    check(
        &told("drain"),
        &[
            "neap: stopping: request; waiting up to 4s for `server`, `hand`; another cancels",
            "neap: still draining: `server` (for 1.0s, 1 job, added at tests/narrate.rs:*), `hand` (for 1.0s, added at tests/narrate.rs:*); cancelled in 3.0s",
            "neap: still draining: `server` (for 2.0s, 1 job), `hand` (for 2.0s); cancelled in 2.0s",
            "neap: cancelling by a second request: `server` (for 3.0s, 1 job)",
            "neap: stopped by request, 0s after the start; drained for 3.0s; 2 services: 1 ended, 1 cancelled; service `server` was cancelled by a second request, 3.0s into its drain",
        ],
    );
}

#[test]
fn a_start_that_takes_long_is_told_each_time_that_it_has_doubled() {
    check(
        &told("start"),
        &[
            "neap: still starting: `db` (for 5.0s, added at tests/narrate.rs:*); `mail`, `http` wait for it; `cache` (for 4.6s, added at tests/narrate.rs:*)",
            "neap: still starting: `db` (for 10.0s); `mail`, `http` wait for it",
            "neap: still starting: `db` (for 20.0s); `mail`, `http` wait for it",
            "neap: stopping: end of `http`; waiting up to 10s for `db`, `mail`",
            "neap: stopped by end of `http`, 25.0s after the start; drained for 0s; 5 services ended",
        ],
    );
}

#[test]
fn a_start_is_not_told_once_the_group_drains() {
    check(
        &told("start stopped"),
        &[
            "neap: `job` failed: as asked",
            "neap: stopping: failure of `job`; waiting up to 10s for `db`",
            "neap: still draining: `db` (for 9.0s, added at tests/narrate.rs:*); cancelled in 1.0s",
            "neap: stopped by failure of `job`, 0s after the start; drained for 9.0s; 2 services: 1 ended, 1 failed",
        ],
    );
}

#[test]
fn a_nested_group_leaves_the_drain_and_the_end_to_the_outer_one() {
    check(
        &told("nested"),
        &[
            "neap: `within` failed: as asked",
            "neap: stopping: failure of `within`",
            "neap: `inner` failed: service `within` failed: as asked",
            "neap: stopping: failure of `inner`; waiting up to 10s for `http`",
            "neap: stopped by failure of `inner`, * after the start; drained for *; 2 services: 1 ended, 1 failed",
        ],
    );
}

#[cfg(feature = "log")]
#[test]
fn a_line_that_a_logger_takes_is_not_printed_too() {
    // It takes warnings and errors.
    check(
        &told("logger"),
        &[
            "neap: stopping: failure of `db`; waiting up to 10s for `race`, `http`",
            "neap: stopped by failure of `db`, * after the start; drained for *; 3 services: 2 ended, 1 failed",
        ],
    );
}

#[cfg(all(unix, feature = "net", feature = "signal"))]
#[test]
fn a_server_says_where_it_listens_and_which_connections_it_waits_for() {
    let mut process = Process::read_stderr(scenario("child", "server").env_remove("RUST_LOG"));
    let address = process.read_until("neap: `echo` listens on ");
    let client = std::net::TcpStream::connect(address).unwrap();
    process.read_until("accepted");
    process.send("INT");
    process.read_until("neap: stopping: SIGINT; waiting up to 10s for `echo`");
    let line = process.read_until("neap: still draining: `echo` (for ");
    assert!(line.contains("s, 1 connection, added at "), "{line}");
    process.send("INT");
    let line = process.read_until("neap: cancelling by a second SIGINT: `echo` (for ");
    assert!(line.ends_with("s, 1 connection)"), "{line}");
    let line = process.read_until("neap: stopped by SIGINT, ");
    assert!(
        line.contains("; service `echo` was cancelled by a second SIGINT, "),
        "{line}"
    );
    drop(client);
}

#[cfg(all(unix, feature = "net", feature = "signal"))]
#[test]
fn a_closed_standard_error_changes_nothing() {
    let mut process = Process::read_stderr(scenario("child", "server").env_remove("RUST_LOG"));
    process.read_until("neap: `echo` listens on ");
    process.stop_reading();
    process.send("TERM");
    assert!(process.wait().0.success());
}

fn no_pool() -> anyhow::Error {
    anyhow::Error::new(std::io::Error::other("connection refused")).context("no pool")
}

fn fail(group: Group<'static>) {
    let mut group = group;
    group.race("race", pending::<()>());
    group.add("http", |scope| async move {
        scope.stopped().await;
        future::yield_now().await;
    });
    group.add("db", |_| async { Err(no_pool()) });
    future::block_on(group.run()).unwrap_err();
}

fn drain() {
    let (clock, (stops, items)) = (Clock::new(), async_channel::unbounded());
    let group = Group::new().narrate().clock(&clock).stop_on(items);
    let mut group = group.drain_timeout(Duration::from_secs(4));
    group.add("server", |scope| async move {
        scope.waits_for(|| "1 job".into());
        pending::<()>().await;
    });
    group.add("hand", move |scope| async move {
        stops.try_send(Cause::Requested).unwrap();
        scope.stopped().await;
        for _ in 0..2 {
            clock.advance(Duration::from_secs(1));
            future::yield_now().await;
            future::yield_now().await;
        }
        clock.advance(Duration::from_secs(1));
        stops.try_send(Cause::Requested).unwrap();
    });
    future::block_on(group.run()).unwrap_err();
}

/// A service that is ready after 25 s, and one that is after 7 s, but starts 400 ms later.
fn start() {
    let (clock, secs) = (Clock::new(), Duration::from_secs);
    let (hand, late, later) = (clock.clone(), clock.clone(), clock.clone());
    let mut group = Group::new().narrate().clock(&clock);
    let delay = group.add("delay", async move |scope| {
        scope.starting();
        late.sleep(Duration::from_millis(400)).await;
    });
    let delay = delay.id();
    let cache = async move |scope: neap::Scope<'static>| {
        scope.starting();
        later.sleep(secs(7)).await;
    };
    group.add("cache", cache).needs(delay);
    let db = group.add("db", async move |scope| {
        scope.starting();
        hand.sleep(secs(25)).await;
        scope.ready();
        scope.stopped().await;
    });
    let db = db.id();
    group.race("mail", pending::<()>()).needs(db);
    group
        .add("http", async |_| {})
        .needs(db)
        .on_exit(OnExit::Stop);
    let test = clock.advance(secs(30));
    future::block_on(future::zip(group.run(), test)).0.unwrap();
}

fn stop_while_starting() {
    let clock = Clock::new();
    let mut group = Group::new().narrate().clock(&clock);
    group.add("db", async move |scope| {
        scope.starting();
        scope.stopped().await;
        clock.advance(Duration::from_secs(9));
        future::yield_now().await;
        future::yield_now().await;
    });
    group.race("job", async { Err("as asked") });
    future::block_on(group.run()).unwrap_err();
}

fn nest() {
    let mut inner = Group::new();
    inner.add("within", |_| async { Err("as asked") });
    let mut group = Group::new().narrate();
    group.add("http", |scope| async move {
        scope.stopped().await;
        future::yield_now().await;
    });
    group.add("inner", inner.into_service());
    future::block_on(group.run()).unwrap_err();
}

#[cfg(all(unix, feature = "net", feature = "signal"))]
fn serve() {
    let mut group = Group::new()
        .narrate()
        .stop_on(neap::signal::termination().unwrap());
    let echo = neap::net::serve("127.0.0.1:0", |_, _| async {
        eprintln!("accepted");
        pending::<()>().await
    });
    group.add("echo", echo);
    let _ = future::block_on(group.run());
}

/// Not a test: what the child processes run.
#[test]
#[ignore = "run by the other tests, as a process of its own"]
fn child() {
    match scenario_name().as_deref() {
        Some("silent") => fail(Group::new()),
        Some("failure") => fail(Group::new().narrate()),
        Some("restart") => {
            let (mut group, mut is_first) = (Group::new().narrate(), true);
            let policy = Restart::on_failure().backoff(Duration::ZERO, Duration::ZERO);
            let service = move |_| {
                let fails = std::mem::take(&mut is_first);
                async move { if fails { Err(no_pool()) } else { Ok(()) } }
            };
            group.add("db", restart(policy, service));
            future::block_on(group.run()).unwrap();
        }
        Some("drain") => drain(),
        Some("nested") => nest(),
        Some("start") => start(),
        Some("start stopped") => stop_while_starting(),
        #[cfg(feature = "log")]
        Some("logger") => {
            // It does not say `neap: `.
            let mut logger = env_logger::Builder::new();
            logger.filter_level(log::LevelFilter::Warn).init();
            fail(Group::new().narrate());
        }
        #[cfg(all(unix, feature = "net", feature = "signal"))]
        Some("server") => serve(),
        _ => {}
    }
}
