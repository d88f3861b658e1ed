//! Signs of life.

use std::process::id;
use std::thread;
use std::time::Duration;

use crate::manager::Manager;
use crate::support::Process;

/// The timeout of the watchdog, in microseconds: one sign of life in 50 ms.
const TIMEOUT: &str = "100000";

#[test]
fn a_group_that_is_polled_gives_signs_of_life() {
    let manager = Manager::new();
    let mut command = manager.command("blocks");
    let process = Process::read_stdout(command.env("WATCHDOG_USEC", TIMEOUT));
    for _ in 0..5 {
        manager.wait_for("WATCHDOG=1");
    }
    process.send("TERM");
    // It waits for its input: the signs go on in the drain.
    manager.wait_for("STOPPING=1");
    manager.wait_for("WATCHDOG=1");
}

#[test]
fn a_group_whose_executor_is_stuck_gives_none() {
    let manager = Manager::new();
    let mut command = manager.command("blocks");
    let mut process = Process::read_stdout(command.env("WATCHDOG_USEC", TIMEOUT));
    manager.wait_for("WATCHDOG=1");
    process.close_stdin();
    process.read_until("blocks");
    manager.all();
    assert_eq!(manager.next_within(Duration::from_secs(1)), None);
    assert!(process.is_running());
}

#[test]
fn a_service_that_blocks_one_thread_of_several_stops_no_sign() {
    let manager = Manager::new();
    let mut command = manager.command("blocks one of four threads");
    command
        .env("SMOL_THREADS", "4")
        .env("WATCHDOG_USEC", TIMEOUT);
    let mut process = Process::read_stdout(&mut command);
    manager.wait_for("WATCHDOG=1");
    process.close_stdin();
    process.read_until("blocks");
    manager.all();
    for _ in 0..5 {
        manager.wait_for("WATCHDOG=1");
    }
}

#[test]
fn a_watchdog_of_another_process_or_none_is_no_matter() {
    let other = id().to_string();
    for (name, timeout, pid) in [
        ("the parent's", TIMEOUT, Some(&*other)),
        ("zero", "0", None),
        ("no number", "soon", None),
    ] {
        let manager = Manager::new();
        let mut command = manager.command("drains");
        command.env("WATCHDOG_USEC", timeout);
        pid.map(|pid| command.env("WATCHDOG_PID", pid));
        let process = Process::read_stdout(&mut command);
        manager.wait_for("READY=1");
        thread::sleep(Duration::from_millis(300));
        let all = manager.all();
        assert!(
            !all.iter().any(|message| message.has("WATCHDOG=1")),
            "{name}: {all:?}"
        );
        drop(process);
    }
}
