//! What the processes of the scenarios do.

use std::future::pending;
use std::io::Read;
use std::process::exit;
use std::thread;
use std::time::Duration;

use futures_lite::{StreamExt, future};
use neap::{Group, OnExit, Scope, signal};

use crate::support::scenario_name;

#[test]
#[ignore = "a process of other tests"]
fn child() {
    let Some(name) = scenario_name() else {
        return;
    };
    let succeeded = match &*name {
        "starts and stops" => starts_and_stops(),
        "drains" => drains(Duration::from_secs(20)),
        "drains for ever" => drains(Duration::MAX),
        "is deaf" => is_deaf(),
        "fails" => fails(),
        "ends at once" => ends_at_once(),
        "is stopped before" => is_stopped_before(),
        "has two groups" => has_two_groups(),
        "has a name of two lines" => has_a_name_of_two_lines(),
        "is local" => is_local(),
        "reloads" => reloads(),
        "reloads at the start" => reloads_at_the_start(),
        "reloads twice" => reloads_twice(),
        "blocks" => blocks(Group::new()),
        "blocks one of four threads" => blocks(Group::on(smol::spawn)),
        #[cfg(feature = "net")]
        name => crate::sockets::child(name),
        #[cfg(not(feature = "net"))]
        name => panic!("no scenario `{name}`"),
    };
    // Not as the test harness does, which would print more.
    exit(if succeeded { 0 } else { 1 });
}

/// Returns once the parent has closed the standard input.
pub(crate) async fn let_go() {
    smol::unblock(|| std::io::stdin().read_to_end(&mut Vec::new()))
        .await
        .unwrap();
}

/// Tells the parent how far this process is.
pub(crate) fn say(what: &str) {
    println!("{what}");
}

pub(crate) fn run(group: Group<'_>) -> bool {
    future::block_on(group.run()).is_ok()
}

fn group<'a>() -> Group<'a> {
    Group::new()
        .systemd()
        .narrate()
        .stop_on(signal::termination().unwrap())
}

async fn until_stopped(scope: Scope<'_>) {
    scope.stopped().await;
}

fn starts_and_stops() -> bool {
    let mut group = group();
    let db = group.add("db", async |scope| {
        scope.starting();
        let_go().await;
        scope.ready();
        scope.stopped().await;
    });
    let db = db.id();
    group.add("http", until_stopped).needs(db);
    run(group)
}

fn drains(timeout: Duration) -> bool {
    let mut group = group().drain_timeout(timeout);
    group.add("http", async |scope| {
        scope.waits_for(|| "2 connections".into());
        scope.stopped().await;
        let_go().await;
    });
    group.add("db", until_stopped);
    run(group)
}

fn is_deaf() -> bool {
    let mut group = group().drain_timeout(Duration::from_millis(100));
    group.add("deaf", |_| pending::<()>());
    run(group)
}

fn fails() -> bool {
    let mut group = group();
    group.add("db", async |scope| {
        scope.starting();
        let_go().await;
        Err::<(), _>("no disk")
    });
    run(group)
}

fn ends_at_once() -> bool {
    let mut group = group();
    group.add("job", async |_| {});
    run(group)
}

fn is_stopped_before() -> bool {
    let mut group = group();
    group.handle().stop();
    group.add("job", async |_| {});
    run(group)
}

fn has_two_groups() -> bool {
    let mut first = group();
    let mut second = Group::new().systemd();
    second.add("second", async |_| {});
    let second = run(second);
    first.add("first", async |_| {}).on_exit(OnExit::Stop);
    run(first) && second
}

fn has_a_name_of_two_lines() -> bool {
    let mut group = group();
    group.add("a\nMAINPID=1", async |scope| {
        scope.starting();
        let_go().await;
    });
    run(group)
}

fn is_local() -> bool {
    let mut group = Group::local().systemd();
    group.add("job", async |_| {});
    future::block_on(group.run()).is_ok()
}

/// Each reload lasts until SIGUSR1.
fn reloads() -> bool {
    let mut signals = signal::reload().unwrap();
    let mut done = signal::listen([signal::Signal::Usr1]).unwrap();
    let mut group = group();
    group.add("configuration", async move |scope: Scope<'_>| {
        while scope.run_until_stopped(signals.next()).await.is_some() {
            scope.run_until_stopped(done.next()).await;
        }
    });
    run(group)
}

/// A reload comes while the group still starts.
fn reloads_at_the_start() -> bool {
    let mut signals = signal::reload().unwrap();
    let mut group = group();
    group.add("configuration", async move |scope: Scope<'_>| {
        scope.starting();
        say("starting");
        signals.next().await;
        scope.ready();
        let_go().await;
        drop(signals);
        scope.stopped().await;
    });
    run(group)
}

/// Two readers of the signal, the second of which takes until SIGUSR1.
fn reloads_twice() -> bool {
    let (mut first, mut second) = (signal::reload().unwrap(), signal::reload().unwrap());
    let mut done = signal::listen([signal::Signal::Usr1]).unwrap();
    let mut group = group();
    group.race(
        "first",
        async move { while first.next().await.is_some() {} },
    );
    group.race("second", async move {
        while second.next().await.is_some() {
            // By the last of these turns the group has had one.
            for _ in 0..10 {
                future::yield_now().await;
            }
            say("the second reads");
            done.next().await;
        }
    });
    run(group)
}

/// Blocks a thread once the input is closed.
fn blocks(group: Group<'_>) -> bool {
    let mut group = group.systemd().stop_on(signal::termination().unwrap());
    group.add("blocker", async |_| {
        let_go().await;
        say("blocks");
        thread::sleep(Duration::from_secs(600));
    });
    run(group)
}
