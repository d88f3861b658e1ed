//! The watchdog ends the process, so each story is a process of its own: this test binary again,
//! told by a variable which story to be.

use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future;
use neap::{Group, Scope, WATCHDOG_EXIT_CODE};

/// The variable that names the story.
const STORY: &str = "NEAP_TEST_STORY";

const FOR_EVER: Duration = Duration::from_secs(3600);

/// Tells a story to its end.
fn tell(story: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(STORY, story)
        .output()
        .unwrap()
}

fn short() -> Group<'static> {
    Group::new()
        .drain_timeout(Duration::from_millis(50))
        .cancel_timeout(Duration::from_millis(50))
}

#[test]
#[ignore = "a part of the others"]
fn child() {
    let Ok(story) = std::env::var(STORY) else {
        return;
    };
    let mut group = short();
    if story == "is cancelled in time" {
        group = group.cancel_timeout(Duration::from_millis(600));
    }
    let handle = group.handle();
    handle.watchdog().unwrap();
    match story.as_str() {
        "blocks after the stop" => {
            group.add("blocking", |scope: Scope<'static>| async move {
                scope.stopped().await;
                thread::sleep(FOR_EVER);
            });
            group.add("finished", |_| async {});
            group.add("stopping", |_| async move {
                handle.stop();
            });
        }
        "blocks before the stop" => {
            group.add("blocking", |_| async { thread::sleep(FOR_EVER) });
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(20));
                handle.stop();
            });
        }
        "is cancelled in time" => {
            group.add("deaf", |_| std::future::pending::<()>());
            group.add("stopping", |_| async move {
                handle.stop();
            });
        }
        other => panic!("no such story: {other}"),
    }
    let ended = future::block_on(group.run());
    // Longer than any watchdog would have waited.
    thread::sleep(Duration::from_millis(900));
    println!("ended: {}", ended.is_ok());
}

#[test]
fn a_service_that_blocks_the_executor_is_reported_and_the_process_ended() {
    for story in ["blocks after the stop", "blocks before the stop"] {
        let begin = Instant::now();
        let output = tell(story);
        assert_eq!(output.status.code(), Some(WATCHDOG_EXIT_CODE));
        assert!(begin.elapsed() >= Duration::from_millis(100));
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
fn a_group_that_ends_is_left_alone() {
    let output = tell("is cancelled in time");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && said.contains("ended: false"),
        "{said}"
    );
}
