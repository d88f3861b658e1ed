//! The messages of a group, from its start to its end.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::manager::{Manager, Message, command, receive};
use crate::support::{LIMIT, Process};

fn lines(lines: &[&str]) -> Message {
    Message(lines.iter().map(|&line| line.into()).collect())
}

#[test]
fn a_group_says_that_it_has_started_that_it_stops_and_how_it_is() {
    let manager = Manager::new();
    let mut process = manager.start("starts and stops");
    let starting = lines(&["STATUS=starting: waits for `db`, `http`"]);
    assert_eq!(manager.next(), starting);
    process.close_stdin();
    assert_eq!(
        manager.next(),
        lines(&["READY=1", "STATUS=running: 2 services"])
    );
    process.send("TERM");
    let stopping = manager.next();
    assert_eq!(stopping.0[0], "STOPPING=1");
    let status = stopping.value("STATUS");
    assert!(status.starts_with("draining after SIGTERM"), "{status}");
    assert!(status.ends_with(", 0 of 10s"), "{status}");
    assert!(stopping.extension() <= Duration::from_millis(15_500));
    let end = std::iter::repeat_with(|| manager.next())
        .find(|one| one.value("STATUS").starts_with("stopped"));
    assert_eq!(end, Some(lines(&["STATUS=stopped by SIGTERM"])));
    assert!(process.wait().0.success());
    assert_eq!(manager.all(), []);
}

#[test]
fn nothing_is_ready_before_all_services_are() {
    let manager = Manager::new();
    let process = manager.start("starts and stops");
    manager.next();
    process.send("TERM");
    assert_eq!(manager.next().0[0], "STOPPING=1");
    drop(process);
}

#[test]
fn the_drain_asks_for_its_own_time_and_says_who_is_waited_for() {
    let manager = Manager::new();
    let mut process = manager.start("drains");
    manager.wait_for("READY=1");
    process.send("TERM");
    let first = manager.wait_for("STOPPING=1");
    let second = manager.next();
    // What is left of 20 s, the cancel timeout and 5 s.
    assert!(
        first.extension() <= Duration::from_millis(25_500),
        "{first:?}"
    );
    assert!(second.extension() < first.extension(), "{second:?}");
    assert!(second.extension() >= Duration::from_secs(5), "{second:?}");
    let status = second.value("STATUS");
    let begin = "draining after SIGTERM: waits for `http` (2 connections), ";
    assert!(
        status.starts_with(begin) && status.ends_with(" of 20s"),
        "{status}"
    );
    process.close_stdin();
    assert!(process.wait().0.success());
}

#[test]
fn a_drain_without_a_deadline_asks_again_and_again() {
    let manager = Manager::new();
    let mut process = manager.start("drains for ever");
    manager.wait_for("READY=1");
    process.send("TERM");
    for _ in 0..3 {
        let message = manager.next();
        assert_eq!(message.extension(), Duration::from_secs(30));
        assert!(message.value("STATUS").ends_with('s'), "{message:?}");
    }
    process.close_stdin();
    assert!(process.wait().0.success());
}

#[test]
fn a_group_that_cancels_has_ended_all_the_same() {
    let manager = Manager::new();
    let process = manager.start("is deaf");
    manager.wait_for("READY=1");
    process.send("TERM");
    manager.wait_for("STOPPING=1");
    manager.wait_for("STATUS=stopped by SIGTERM");
    assert_eq!(process.wait().0.code(), Some(1));
}

#[test]
fn a_failure_in_the_start_is_no_start() {
    let manager = Manager::new();
    let mut process = manager.start("fails");
    assert!(manager.next().value("STATUS").starts_with("starting"));
    process.close_stdin();
    assert_eq!(process.wait().0.code(), Some(1));
    let rest = manager.all();
    assert_eq!(rest[0].0[0], "STOPPING=1");
    assert!(
        !rest.iter().any(|message| message.has("READY=1")),
        "{rest:?}"
    );
    assert_eq!(
        rest[rest.len() - 1],
        lines(&["STATUS=stopped by failure of `db`"])
    );
}

#[test]
fn what_ends_well_before_it_was_seen_to_start_has_started() {
    for name in ["ends at once", "is local"] {
        let manager = Manager::new();
        assert!(manager.start(name).wait().0.success());
        let all = manager.all();
        let place = |line| all.iter().position(|message| message.has(line));
        assert!(place("READY=1").is_some(), "{all:?}");
        assert!(place("READY=1") < place("STOPPING=1"), "{all:?}");
    }
}

#[test]
fn a_group_that_was_stopped_before_says_that_it_stops() {
    let manager = Manager::new();
    assert!(manager.start("is stopped before").wait().0.success());
    let all = manager.all();
    assert!(
        all.iter().any(|message| message.has("STOPPING=1")),
        "{all:?}"
    );
    assert!(!all.iter().any(|message| message.has("READY=1")), "{all:?}");
}

#[test]
fn the_first_group_of_a_process_is_the_one() {
    let manager = Manager::new();
    assert!(manager.start("has two groups").wait().0.success());
    let all = manager.all();
    let ready: Vec<_> = all
        .iter()
        .filter(|message| message.has("READY=1"))
        .collect();
    assert_eq!(ready.len(), 1, "{all:?}");
    assert_eq!(
        all[all.len() - 1],
        lines(&["STATUS=stopped by end of `first`"])
    );
}

#[test]
fn a_name_begins_no_line() {
    let manager = Manager::new();
    let _process = manager.start("has a name of two lines");
    assert_eq!(
        manager.next(),
        lines(&["STATUS=starting: waits for `a MAINPID=1`"])
    );
}

#[cfg(target_os = "linux")]
#[test]
fn an_abstract_socket_is_one_too() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;

    let name = format!("neap-notify-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let socket = UnixDatagram::bind_addr(&address).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let mut command = command("ends at once");
    let process = Process::read_stdout(command.env("NOTIFY_SOCKET", format!("@{name}")));
    assert!(process.wait().0.success());
    assert!(
        receive(&socket)
            .unwrap()
            .value("STATUS")
            .starts_with("starting")
    );
    assert!(receive(&socket).unwrap().has("READY=1"));
}

#[test]
fn without_a_socket_or_with_a_bad_one_the_group_runs_as_ever() {
    for (socket, told) in [
        (None, ""),
        (Some(""), ""),
        (
            Some("/nowhere/to/be/found"),
            "`/nowhere/to/be/found` (NOTIFY_SOCKET): ",
        ),
        (
            Some("@neap-nobody-listens"),
            "`@neap-nobody-listens` (NOTIFY_SOCKET): ",
        ),
        (
            Some("vsock:2:1"),
            "neither an absolute path nor `@` and a name",
        ),
    ] {
        let mut command: Command = command("ends at once");
        command.stdout(Stdio::null());
        if let Some(socket) = socket {
            command.env("NOTIFY_SOCKET", socket);
        }
        let (status, printed) = Process::read_stderr(&mut command).wait();
        assert!(status.success(), "{socket:?}: {printed}");
        assert!(printed.contains(told), "{socket:?}: {printed}");
        // Once, though more messages than one were not sent.
        let count = printed.matches("systemd cannot be told").count();
        assert_eq!(
            count,
            usize::from(!told.is_empty()),
            "{socket:?}: {printed}"
        );
    }
}

/// The receiver of the kernel has room for some ten messages (`net.unix.max_dgram_qlen`).
#[test]
fn a_receiver_without_room_loses_only_what_is_obsolete() {
    let manager = Manager::new();
    let mut command = manager.command("starts and stops");
    let mut process = Process::read_stdout(command.env("WATCHDOG_USEC", "2000"));
    // By then it has tried to send hundreds.
    std::thread::sleep(Duration::from_secs(1));
    process.close_stdin();
    assert!(manager.next_news().value("STATUS").starts_with("starting"));
    assert_eq!(manager.next_news().0[0], "READY=1");
    process.send("TERM");
    manager.wait_for("STOPPING=1");
    assert!(process.wait().0.success());
}
