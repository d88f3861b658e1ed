//! The watchdog ends the process when it is needed, whatever else is broken.

use std::io::Write;
use std::process::Stdio;
use std::thread;
use std::time::Instant;

use futures_lite::future;
use neap::{Group, Scope, WATCHDOG_EXIT_CODE};

use crate::story::{LIMIT, NEVER, command, end_within, ms, told};

#[test]
fn a_process_whose_standard_error_nobody_reads_any_more_is_ended() {
    let mut command = command("watchdog", "stuck");
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    let status = end_within(&mut child, LIMIT).expect("the stuck process lives on");
    assert_eq!(status.code(), Some(WATCHDOG_EXIT_CODE));
}

#[test]
fn a_process_whose_standard_error_is_full_and_locked_is_ended() {
    let mut command = command("watchdog", "holds the lock of standard error");
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let held_open = child.stderr.take();
    let status = end_within(&mut child, LIMIT).expect("the stuck process lives on");
    drop(held_open);
    assert_eq!(status.code(), Some(WATCHDOG_EXIT_CODE));
}

#[test]
fn an_old_start_timeout_does_not_delay_the_end() {
    let mut command = command("watchdog", "has a start timeout");
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let begin = Instant::now();
    let status = end_within(&mut child, 3 * LIMIT).expect("the stuck process lives on");
    assert_eq!(status.code(), Some(WATCHDOG_EXIT_CODE));
    // The timeouts are a fifth of a second; the start timeout, of one ready long ago, is this.
    assert!(begin.elapsed() < LIMIT, "it took {:?}", begin.elapsed());
}

/// Blocks its thread from the stop on.
async fn stuck(scope: Scope<'static>) {
    scope.stopped().await;
    thread::sleep(NEVER);
}

/// Not a test: what the child processes run.
#[test]
#[ignore = "run by the other tests, as a process of its own"]
fn child() {
    let Some(story) = told() else { return };
    let mut group = Group::new().drain_timeout(ms(100)).cancel_timeout(ms(100));
    let handle = group.handle();
    handle.watchdog().unwrap();
    match story.as_str() {
        "stuck" => drop(group.add("stuck", stuck)),
        "has a start timeout" => {
            group.add("stuck", stuck);
            let db = |scope: Scope<'static>| async move {
                scope.ready();
                scope.stopped().await;
            };
            group.add("db", db).start_timeout(LIMIT);
        }
        "holds the lock of standard error" => {
            group.add("chatty", |scope: Scope<'static>| async move {
                scope.stopped().await;
                let mut locked = std::io::stderr().lock();
                loop {
                    // Its reader reads nothing: once the pipe is full, this blocks.
                    let _ = locked.write_all(&[b'x'; 1000]);
                }
            });
        }
        other => panic!("no such story: {other}"),
    }
    // A service: so the stop cannot come before the start.
    group.add("stopping", |_| async move {
        smol::Timer::after(ms(50)).await;
        handle.stop();
    });
    let _ = future::block_on(group.run());
}
