//! Reloads.
//!
//! systemd 252 has no `Type=notify-reload`, which came with 253: that a systemd heeds these messages was not
//! tried. They are as sd_notify(3) has them.

use std::time::Duration;

use crate::manager::{Manager, Message};

/// Returns the time of the monotonic clock, in microseconds.
fn monotonic() -> i128 {
    match sd_notify::NotifyState::monotonic_usec_now().unwrap() {
        sd_notify::NotifyState::MonotonicUsec(micros) => micros,
        _ => unreachable!(),
    }
}

/// Asserts that this tells of a reload that began after that time.
#[track_caller]
fn assert_reloading(message: &Message, since: i128) {
    assert_eq!(message.0[0], "RELOADING=1", "{message:?}");
    let moment: i128 = message.value("MONOTONIC_USEC").parse().unwrap();
    assert!(since <= moment && moment <= monotonic(), "{message:?}");
    assert!(message.has("STATUS=reloading"), "{message:?}");
}

#[test]
fn each_reload_is_told_with_its_time_and_its_end() {
    let manager = Manager::new();
    let process = manager.start("reloads");
    manager.wait_for("READY=1");
    for _ in 0..2 {
        let since = monotonic();
        process.send("HUP");
        assert_reloading(&manager.next(), since);
        assert_eq!(manager.next_within(Duration::from_millis(50)), None);
        process.send("USR1");
        let done = ["READY=1", "STATUS=running: 1 service"];
        assert_eq!(manager.next().0, done);
    }
    process.send("TERM");
    assert_eq!(manager.next().0[0], "STOPPING=1");
    assert!(process.wait().0.success());
}

#[test]
fn a_stop_in_a_reload_is_a_stop() {
    let manager = Manager::new();
    let process = manager.start("reloads");
    manager.wait_for("READY=1");
    process.send("HUP");
    manager.wait_for("RELOADING=1");
    process.send("TERM");
    manager.wait_for("STOPPING=1");
    assert!(process.wait().0.success());
    let all = manager.all();
    assert!(!all.iter().any(|message| message.has("READY=1")), "{all:?}");
}

#[test]
fn a_reload_that_began_in_the_start_is_told_after_it() {
    let manager = Manager::new();
    let mut process = manager.start("reloads at the start");
    process.read_until("starting");
    let since = monotonic();
    process.send("HUP");
    loop {
        let message = manager.next();
        assert!(!message.has("RELOADING=1"), "{message:?}");
        if message.has("READY=1") {
            break;
        }
    }
    assert_reloading(&manager.next(), since);
    process.close_stdin();
    assert_eq!(manager.next().0[0], "READY=1");
}

#[test]
fn a_reload_is_done_when_it_is_for_all_who_listen() {
    let manager = Manager::new();
    let mut process = manager.start("reloads twice");
    manager.wait_for("READY=1");
    let since = monotonic();
    process.send("HUP");
    process.read_until("the second reads");
    // The first reader may have been done before the second began, which then began another.
    let all = manager.all();
    assert_reloading(&all[0], since);
    assert_reloading(&all[all.len() - 1], since);
    process.send("USR1");
    assert_eq!(manager.next().0[0], "READY=1");
}
