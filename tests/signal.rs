//! Signals belong to a process, so each scenario is a process of its own.

#![cfg(all(unix, feature = "signal"))]

mod support;

use std::future::pending;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::Duration;

use futures_lite::{StreamExt, future, stream};
use neap::signal::{self, Signal};
use neap::{Group, OnExit};
use support::{LIMIT, Process, scenario, scenario_name};

/// Starts a scenario, which may not be ready yet.
fn launch(name: &str) -> Process {
    Process::read_stdout(&mut scenario("child", name))
}

/// Starts a scenario and waits until it says that it is ready.
fn start(name: &str) -> Process {
    let mut process = launch(name);
    process.read_until("ready");
    process
}

/// Waits longer than the time within which two signals count as one.
fn pause() {
    thread::sleep(Duration::from_millis(150));
}

fn shell(line: &str) -> ExitStatus {
    Command::new("sh").args(["-c", line]).status().unwrap()
}

#[test]
fn the_first_signal_stops_and_the_cause_is_that_very_signal() {
    for (signal, name) in [(Signal::Int, "SIGINT"), (Signal::Term, "SIGTERM")] {
        let process = start("obedient");
        process.send(signal as i32);
        let (status, rest) = process.wait();
        assert!(status.success(), "{status}");
        assert!(rest.contains(&format!("saw {name}")), "{rest}");
        assert!(rest.contains(&format!("stopped by {name}, ")), "{rest}");
    }
}

#[test]
fn g12_a_second_signal_cancels_at_once() {
    let mut process = start("deaf");
    process.send(Signal::Term as i32);
    process.read_until("draining");
    pause();
    process.send(Signal::Term as i32);
    let (status, rest) = process.wait();
    assert_eq!(status.code(), Some(3), "{rest}");
    assert!(
        rest.contains("dropped") && rest.contains("`deaf`"),
        "{rest}"
    );
}

#[test]
fn a_signal_that_its_source_has_twice_cancels_at_once() {
    for (signal, code) in [(Signal::Int, 3), (Signal::Term, 0)] {
        let process = start("cancelled at once");
        process.send(signal as i32);
        let (status, rest) = process.wait();
        assert_eq!(status.code(), Some(code), "{rest}");
        assert_eq!(rest.contains("drained"), code == 0, "{rest}");
    }
}

#[test]
fn g12_two_deliveries_close_together_count_as_one() {
    // On a slow machine two may come too far apart, which ends the child: then once more.
    for _ in 0..10 {
        let mut process = start("deaf");
        let pid = process.id();
        let both = format!("kill -s INT {pid}; kill -s TERM {pid}");
        assert!(shell(&both).success());
        process.read_until("draining");
        pause();
        if !process.is_running() {
            continue;
        }
        process.send(Signal::Term as i32);
        let (status, rest) = process.wait();
        assert_eq!(status.code(), Some(3), "{rest}");
        return;
    }
    panic!("each time the second delivery cancelled");
}

#[test]
fn g12_a_program_whose_executor_is_stuck_is_ended_by_the_third() {
    let mut process = start("stuck");
    for _ in 0..2 {
        process.send(Signal::Term as i32);
        pause();
    }
    assert!(process.is_running(), "two are for the group");
    process.send(Signal::Term as i32);
    let (status, _) = process.wait();
    assert_eq!(status.signal(), Some(Signal::Term as i32));
}

#[test]
fn g12_after_the_group_has_ended_the_default_action_is_back() {
    let process = start("afterwards");
    process.send(Signal::Term as i32);
    let (status, rest) = process.wait();
    assert_eq!(status.signal(), Some(Signal::Term as i32), "{rest}");
}

#[test]
fn g12_a_second_group_hears_signals_again() {
    let mut process = start("twice");
    process.send(Signal::Int as i32);
    process.read_until("ready again");
    pause();
    process.send(Signal::Int as i32);
    let (status, rest) = process.wait();
    assert!(status.success() && rest.contains("both ended"), "{rest}");
}

#[test]
fn g05_a_signal_before_run_is_remembered() {
    let (status, rest) = launch("early").wait();
    assert!(status.success(), "{rest}");
    assert!(
        rest.contains("stopped by SIGTERM") && rest.contains("; 1 service not started"),
        "{rest}"
    );
}

#[test]
fn g13_a_signal_that_cannot_be_registered_is_an_error_before_anything_starts() {
    for (bad, text) in [
        (
            Signal::Kill,
            "cannot listen for SIGKILL: the operating system forbids it",
        ),
        (
            Signal::Stop,
            "cannot listen for SIGSTOP: the operating system forbids it",
        ),
        (
            Signal::Segv,
            "cannot listen for SIGSEGV: it tells of a fault of the program itself",
        ),
    ] {
        let error = signal::termination_by([Signal::Usr1, bad]).unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(error.outcome().map(|_| ()), None);
    }
}

#[test]
fn a_reload_is_a_stream_of_its_own_and_stops_nothing() {
    let mut process = start("reload");
    for _ in 0..3 {
        process.send(Signal::Hup as i32);
        process.read_until("reloaded");
        pause();
    }
    process.send(Signal::Term as i32);
    let (status, rest) = process.wait();
    assert!(
        status.success() && rest.contains("stopped by SIGTERM"),
        "{rest}"
    );
}

#[test]
fn a_reload_that_was_dropped_acts_by_default_again() {
    let process = start("no more reloads");
    process.send(Signal::Hup as i32);
    let (status, rest) = process.wait();
    assert_eq!(status.signal(), Some(Signal::Hup as i32), "{rest}");
}

/// Not a test: what the processes of this file run.
#[test]
#[ignore = "run by the other tests, in processes of their own"]
fn child() {
    match scenario_name().as_deref() {
        None => {}
        Some("obedient") => obedient(),
        Some("deaf") => deaf(),
        Some("cancelled at once") => cancelled_at_once(),
        Some("stuck") => stuck(),
        Some("afterwards") => afterwards(),
        Some("twice") => twice(),
        Some("early") => early(),
        Some("reload") => reload(),
        Some("no more reloads") => no_more_reloads(),
        Some(other) => panic!("no such scenario: {other}"),
    }
}

fn obedient() {
    let mut group = terminable();
    group.add("obedient", |scope| async move {
        println!("ready");
        println!("saw {}", scope.stopped().await);
    });
    end(group);
}

fn deaf() {
    struct OnDrop;
    impl Drop for OnDrop {
        fn drop(&mut self) {
            println!("dropped");
        }
    }
    let mut group = terminable().drain_timeout(Duration::MAX);
    group.add("deaf", |scope| async move {
        let _on_drop = OnDrop;
        println!("ready");
        scope.stopped().await;
        println!("draining");
        pending::<()>().await;
    });
    end(group);
}

fn cancelled_at_once() {
    let at_once = signal::listen([Signal::Int]).unwrap();
    let mut group = Group::new()
        .stop_on(signal::termination_by([Signal::Term]).unwrap())
        .stop_on(at_once.flat_map(|signal| stream::iter([signal, signal])));
    group.add("slow", |scope| async move {
        println!("ready");
        scope.stopped().await;
        async_io::Timer::after(Duration::from_millis(50)).await;
        println!("drained");
    });
    end(group);
}

fn stuck() {
    let mut group = terminable();
    group.add("stuck", |_| async {
        println!("ready");
        thread::sleep(LIMIT);
    });
    end(group);
}

fn afterwards() {
    let mut group = terminable();
    group.add("short", |_| async {}).on_exit(OnExit::Stop);
    future::block_on(group.run()).unwrap();
    println!("ready");
    thread::sleep(LIMIT);
}

fn twice() {
    for ready in ["ready", "ready again"] {
        let mut group = terminable();
        group.add("service", move |scope| async move {
            println!("{ready}");
            scope.stopped().await;
        });
        future::block_on(group.run()).unwrap();
    }
    println!("both ended");
}

fn early() {
    let mut group = terminable();
    group.add("late", |_| async { println!("started") });
    // To this thread (raise(3)): another thread may take a signal that is sent to the process, and
    // take it later.
    signal_hook::low_level::raise(Signal::Term as i32).unwrap();
    end(group);
}

fn reload() {
    let mut reloads = signal::reload().unwrap();
    let mut group = terminable();
    group.race("reload", async move {
        println!("ready");
        while reloads.next().await == Some(Signal::Hup) {
            println!("reloaded");
        }
    });
    end(group);
}

fn no_more_reloads() {
    drop(signal::reload().unwrap());
    println!("ready");
    thread::sleep(LIMIT);
}

/// A group that a signal stops.
fn terminable() -> Group<'static> {
    Group::new().stop_on(signal::termination().unwrap())
}

/// Runs a group, prints how it ended, and ends the process with the exit code 3 if it failed.
fn end(group: Group<'_>) {
    match future::block_on(group.run()) {
        Ok(outcome) => println!("{outcome}"),
        Err(error) => {
            println!("{error:?}");
            std::process::exit(3);
        }
    }
}
