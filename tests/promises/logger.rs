//! Guarantees 1 and 3, with a logger of the user's, which may panic or be slow. A logger belongs to
//! a process, so each story has a child process.

#![cfg(feature = "log")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_channel::{Receiver, Sender};
use async_executor::Executor;
use futures_lite::future;
use log::{LevelFilter, Log, Metadata, Record};
use neap::test::Clock;
use neap::{Group, Scope, ServiceOptions};

use crate::story::{Flag, LIMIT, command, end_within, ms, poll, told};

fn tell(story: &str) {
    let mut command = command("logger", story);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let status = end_within(&mut child, LIMIT).expect("still running");
    assert!(status.success(), "{status}");
}

#[test]
fn g03_in_the_logger_at_one_record() {
    tell("panics once");
}

#[test]
fn g03_in_the_logger_at_every_record() {
    tell("always panics");
}

#[test]
fn g01_a_start_that_timed_out_is_a_failure_though_the_service_ends_at_that_moment() {
    tell("ends meanwhile");
}

/// A logger that calls a function with the event of each record of neap.
struct Calls<F>(F);

impl<F: Fn(&str) + Send + Sync> Log for Calls<F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "neap"
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let event = record.key_values().get("event".into());
            (self.0)(&event.map(|event| event.to_string()).unwrap_or_default());
        }
    }

    fn flush(&self) {}
}

fn log_to(call: impl Fn(&str) + Send + Sync + 'static) {
    log::set_boxed_logger(Box::new(Calls(call))).unwrap();
    log::set_max_level(LevelFilter::Trace);
}

/// Runs a group whose services end well, whatever the logger does.
fn run_well() {
    let (drained, mut group) = (Flag::default(), Group::new());
    group.add("job", |_| async {});
    let seen = drained.clone();
    group.add("server", |scope: Scope<'static>| async move {
        scope.stopped().await;
        future::yield_now().await;
        seen.set();
    });
    let handle = group.handle();
    group.add("stopper", move |_| async move {
        for _ in 0..5 {
            future::yield_now().await;
        }
        handle.stop();
    });
    let ran = catch_unwind(AssertUnwindSafe(|| future::block_on(group.run())));
    ran.expect("the panic went through `run`").unwrap();
    assert!(drained.is_set(), "the others were not drained");
}

/// Fails a start while the service becomes ready and ends: the logger gives it the time for that.
fn end_while_the_failure_is_logged() {
    static EXECUTOR: Executor<'static> = Executor::new();
    let (open, gate): (Sender<()>, Receiver<()>) = async_channel::bounded(1);
    log_to(move |event| {
        if event == "failed" {
            open.try_send(()).unwrap();
            while EXECUTOR.try_tick() {}
        }
    });
    let clock = Clock::new();
    let mut group = Group::on(|task| EXECUTOR.spawn(task).detach()).clock(&clock);
    let handle = group.handle();
    group.add("server", |scope: Scope<'static>| async move {
        scope.stopped().await;
    });
    let mut run = group.run();
    assert!(poll(&mut run).is_none());
    let options = ServiceOptions::new().start_timeout(ms(20));
    let late = move |scope: Scope<'static>| async move {
        let _ = gate.recv().await;
        scope.ready();
    };
    handle.add_with("late", options, late).unwrap();
    let mut turn = || {
        let ended = poll(&mut run);
        while EXECUTOR.try_tick() {}
        ended
    };
    assert!((0..5).all(|_| turn().is_none()));
    clock.advance(ms(20));
    let ended = (0..100)
        .find_map(|_| turn())
        .expect("`run` does not return");
    let error = ended.expect_err("the start timed out, and `run` says that all is well");
    assert_eq!(error.service(), Some("late"));
}

/// Not a test: what the child processes run.
#[test]
#[ignore = "run by the other tests, as a process of its own"]
fn child() {
    match told().as_deref() {
        Some("panics once") => {
            let count = AtomicUsize::new(0);
            log_to(move |event| {
                let is_first = event == "ended" && count.fetch_add(1, Ordering::SeqCst) == 0;
                assert!(!is_first, "in the logger");
            });
            run_well();
        }
        Some("always panics") => {
            log_to(|_| panic!("in the logger"));
            run_well();
        }
        Some("ends meanwhile") => end_while_the_failure_is_logged(),
        _ => {}
    }
}
