//! The example `hello`, run as its users run it: each story a process, as the seed's program was
//! put through them.

#![cfg(all(unix, feature = "tide", feature = "signal"))]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// No machine is so slow that a story takes longer.
const LIMIT: Duration = Duration::from_secs(60);

const RUNTIMES: [&str; 3] = ["smol", "async-std", "in-place"];

/// A running `hello`, that listens.
struct Hello {
    child: Child,
    stderr: BufReader<ChildStderr>,
    addr: String,
}

/// The binary, built by now: a test alone does not have cargo build an example.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--all-features", "--example", "hello"]);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status();
        assert!(built.unwrap().success());
        let own = std::env::current_exe().unwrap();
        own.ancestors().nth(2).unwrap().join("examples/hello")
    })
}

fn hello(args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command
        .args(args)
        .env_remove("RUST_LOG")
        .stderr(Stdio::piped());
    command
}

impl Hello {
    fn start(args: &[&str]) -> Hello {
        let mut child = hello(args).args(["--addr", "127.0.0.1:0"]).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let addr = loop {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it did not listen");
            if let Some((_, addr)) = line.trim_end().split_once(" listens on ") {
                break addr.to_owned();
            }
        };
        Hello {
            child,
            stderr,
            addr,
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.addr).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream
    }

    fn kill(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// How it ended, and what it said last.
    fn end(mut self) -> (ExitStatus, String) {
        let status = wait(&mut self.child);
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        let last = said
            .lines()
            .rfind(|line| line.starts_with("hello: "))
            .unwrap_or_default();
        (status, last.to_owned())
    }
}

impl Drop for Hello {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait(child: &mut Child) -> ExitStatus {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(begin.elapsed() < LIMIT, "still running");
        thread::sleep(Duration::from_millis(2));
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
            hello.kill(signal);
            let (status, last) = hello.end();
            assert_eq!(status.code(), Some(0), "{last}");
            assert!(
                last.starts_with(&format!("hello: stopped by SIG{signal} after ")),
                "{last}"
            );
        }
    }
}

#[test]
fn the_timer_s_failure_ends_it_and_the_error_names_the_timer() {
    for runtime in RUNTIMES {
        let hello = Hello::start(&["--runtime", runtime, "--timer", "10ms"]);
        let (status, last) = hello.end();
        assert_eq!(status.code(), Some(1));
        assert_eq!(last, "hello: service `timer` failed: xxx");
    }
}

#[test]
fn a_port_in_use_ends_it_and_the_error_names_the_service_and_the_address() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let output = hello(&["--addr", &addr]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
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
    hello.kill("TERM");
    thread::sleep(Duration::from_millis(150));
    hello.kill("TERM");
    let (status, last) = hello.end();
    assert_eq!(status.code(), Some(1), "{last} after {:?}", begin.elapsed());
    assert!(
        last.contains("`http`") && last.ends_with("(SIGTERM): cancelled"),
        "{last}"
    );
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
}

#[test]
fn bad_flags_are_named() {
    for (args, text) in [
        (["--timer", "soon"], "hello: cannot parse argument \"soon\""),
        (["--runtime", "tokio"], "hello: no such runtime: tokio"),
        (["--port", "80"], "hello: invalid option '--port'"),
    ] {
        let output = hello(&args).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.starts_with(text), "{said}");
    }
}

#[test]
fn it_does_not_mind_if_nobody_reads_what_it_says() {
    let mut hello = Hello::start(&[]);
    drop(std::mem::replace(&mut hello.stderr, {
        // Closes the real one: from here on each line it writes meets a broken pipe.
        let mut other = Command::new("true").stderr(Stdio::piped()).spawn().unwrap();
        let stderr = other.stderr.take().unwrap();
        other.wait().unwrap();
        BufReader::new(stderr)
    }));
    assert!(get(&mut hello.connect()).starts_with("HTTP/1.1 200 OK\r\n"));
    hello.kill("TERM");
    assert_eq!(hello.end().0.code(), Some(0));
}
