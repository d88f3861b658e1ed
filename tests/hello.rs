//! The example `hello`, run as its users run it.

#![cfg(all(unix, feature = "tide", feature = "signal"))]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use support::{LIMIT, Process, example};

const RUNTIMES: [&str; 3] = ["smol", "async-std", "in-place"];

/// The command that runs the example.
fn hello(args: &[&str]) -> Command {
    let mut command = example("hello");
    command.args(args).env_remove("RUST_LOG");
    command
}

/// A running `hello` that listens.
struct Hello {
    process: Process,
    addr: String,
}

impl Hello {
    fn start(args: &[&str]) -> Hello {
        let mut command = hello(args);
        let mut process = Process::read_stderr(command.args(["--addr", "127.0.0.1:0"]));
        let addr = process.read_until(" listens on ");
        Hello { process, addr }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.addr).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream
    }

    /// Waits for its end. Returns how it ended, and its last line.
    fn wait(self) -> (ExitStatus, String) {
        let (status, lines) = self.process.wait();
        (status, lines.lines().last().unwrap_or_default().to_owned())
    }
}

fn get(stream: &mut TcpStream) -> String {
    stream
        .write_all(b"GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    let mut buffer = [0; 1024];
    while !answer.ends_with("Hello World!") {
        let length = stream.read(&mut buffer).unwrap();
        assert_ne!(length, 0, "closed after {answer}");
        answer.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    answer
}

#[test]
fn a_signal_ends_it_well_and_is_named() {
    for runtime in RUNTIMES {
        for signal in ["INT", "TERM"] {
            let hello = Hello::start(&["--runtime", runtime]);
            assert!(get(&mut hello.connect()).starts_with("HTTP/1.1 200 OK\r\n"));
            hello.process.send(signal);
            let (status, last) = hello.wait();
            assert_eq!(status.code(), Some(0), "{last}");
            assert!(
                last.starts_with(&format!("neap: stopped by SIG{signal}, ")),
                "{last}"
            );
        }
    }
}

#[test]
fn the_timer_s_failure_ends_it_and_the_error_names_the_timer() {
    for runtime in RUNTIMES {
        let hello = Hello::start(&["--runtime", runtime, "--timer", "10ms"]);
        let (status, last) = hello.wait();
        assert_eq!(status.code(), Some(1));
        assert_eq!(last, "hello: service `timer` failed: xxx");
    }
}

#[test]
fn a_port_in_use_ends_it_and_the_error_names_the_service_and_the_address() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let (status, said) = Process::read_stderr(&mut hello(&["--addr", &addr])).wait();
    assert_eq!(status.code(), Some(1));
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("hello: service `http` failed: "), "{last}");
    assert!(last.contains(&addr), "{last}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let hello = Hello::start(&["--drain-timeout", "1h"]);
    // Half a request holds up the drain for seconds.
    let mut stream = hello.connect();
    stream.write_all(b"GET /hello HT").unwrap();
    get(&mut hello.connect());
    let begin = Instant::now();
    hello.process.send("TERM");
    thread::sleep(Duration::from_millis(150));
    hello.process.send("TERM");
    let (status, last) = hello.wait();
    assert_eq!(status.code(), Some(1), "{last} after {:?}", begin.elapsed());
    // A line for each straggler follows.
    assert!(
        last.starts_with("  straggler: `http` cancelled (after "),
        "{last}"
    );
    assert!(
        last.contains("forced by a second SIGTERM, added at "),
        "{last}"
    );
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
}

#[test]
fn a_drain_shows_what_it_waits_for() {
    let mut hello = Hello::start(&[]);
    let mut stream = hello.connect();
    stream.write_all(b"GET /hello HT").unwrap();
    get(&mut hello.connect());
    hello.process.send("INT");
    let names = hello
        .process
        .read_until("neap: stopping: SIGINT; waiting up to 10s for ");
    assert_eq!(names, "`http`, `timer`; another cancels");
    let line = hello
        .process
        .read_until("neap: still draining: `http` (for 1.");
    assert!(
        line.contains("s, 1 connection: 1 in a head, added at examples/hello.rs:"),
        "{line}"
    );
    hello.process.send("INT");
    hello
        .process
        .read_until("neap: cancelling by a second SIGINT: `http` (for 1.");
    let line = hello.process.read_until("neap: stopped by SIGINT, ");
    assert!(
        line.contains("; service `http` was cancelled by a second SIGINT, 1."),
        "{line}"
    );
}

#[test]
fn help_lists_the_flags_and_ends_well() {
    let (status, said) = Process::read_stdout(&mut hello(&["--help"])).wait();
    assert_eq!(status.code(), Some(0));
    for flag in [
        "--addr",
        "--timer",
        "--drain-timeout",
        "--runtime",
        "--help",
    ] {
        assert!(said.contains(&format!("\n  {flag} ")), "{said}");
    }
}

#[test]
fn bad_flags_are_named() {
    for (args, text) in [
        (["--timer", "soon"], "hello: cannot parse argument \"soon\""),
        (["--runtime", "tokio"], "hello: no such runtime: tokio"),
        (["--port", "80"], "hello: invalid option '--port'"),
    ] {
        let (status, said) = Process::read_stderr(&mut hello(&args)).wait();
        assert_eq!(status.code(), Some(2), "{said}");
        assert!(said.starts_with(text), "{said}");
    }
}

#[test]
fn a_closed_standard_error_does_not_end_it() {
    let mut hello = Hello::start(&[]);
    // From here on each line that it writes meets a broken pipe.
    hello.process.stop_reading();
    assert!(get(&mut hello.connect()).starts_with("HTTP/1.1 200 OK\r\n"));
    hello.process.send("TERM");
    assert_eq!(hello.wait().0.code(), Some(0));
}
