//! The example `admin`, run as its users run it.

#![cfg(all(unix, feature = "http", feature = "signal"))]

mod support;

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::id;
use std::thread;
use std::time::{Duration, Instant};

use support::{LIMIT, Process, example};

/// Sends a request, and reads to the end of the connection.
fn get(addr: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[track_caller]
fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LIMIT, "{what} does not come");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A folder that is removed with this.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_program_says_how_it_is_from_its_start_to_its_end() {
    let folder = Folder(env::temp_dir().join(format!("neap-admin-{}", id())));
    fs::create_dir(&folder.0).unwrap();
    let migrating = folder.0.join("migrating");
    fs::write(&migrating, "").unwrap();
    let mut command = example("admin");
    command.current_dir(&folder.0);
    command.env("HOST", "127.0.0.1").env("PORT", "0");
    command.env("ADMIN", "127.0.0.1:0").env("RUST_LOG", "info");
    let mut process = Process::read_stderr(&mut command);
    let admin = process.read_until("`admin` listens on ");
    let http = process.read_until("`http` listens on ");
    let state = |name: &str, state: &str| format!("{{\"name\":\"{name}\",\"state\":\"{state}\",");

    // The start.
    assert!(get(&admin, "/ready").ends_with("starting"));
    assert!(get(&admin, "/live").ends_with("live"));
    let status = get(&admin, "/status");
    let json = status.split("\r\n\r\n").nth(1).unwrap();
    let begin = format!("{{\"cause\":null,\"services\":[{}", state("admin", "ready"));
    assert!(json.starts_with(&begin), "{json}");
    assert!(json.contains(&state("migration", "starting")), "{json}");
    assert!(json.contains("\"location\":\"examples/admin.rs:"), "{json}");
    fs::remove_file(migrating).unwrap();
    eventually("the start", || get(&admin, "/ready").ends_with("ready"));
    assert!(get(&http, "/hello").ends_with("Hello World!"));

    // The stop, with a request in flight: its body is still to come.
    let mut waiting = TcpStream::connect(&http).unwrap();
    waiting.set_read_timeout(Some(LIMIT)).unwrap();
    waiting
        .write_all(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n")
        .unwrap();
    eventually("the connection", || {
        let status = get(&admin, "/status");
        let of_http = status.split(&state("http", "ready")).nth(1).unwrap();
        of_http
            .split('}')
            .next()
            .unwrap()
            .contains("\"children\":1")
    });
    process.send("TERM");
    eventually("the stop", || get(&admin, "/ready").ends_with("stopping"));
    eventually("the drain", || {
        get(&admin, "/status").contains(&state("http", "draining"))
    });
    let status = get(&admin, "/status");
    assert!(status.contains("\"cause\":\"SIGTERM\""), "{status}");
    assert!(status.contains(&state("admin", "ready")), "{status}");
    waiting.write_all(b"done").unwrap();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("done"), "{answer}");
    let (status, printed) = process.wait();
    assert!(status.success(), "{printed}");

    // The access log.
    for (request, bytes) in [("GET /hello", 12), ("POST /echo", 4)] {
        let text = format!("\"{request} HTTP/1.1\" 200 {bytes} ");
        let line = printed.lines().find(|line| line.contains(&text));
        assert!(
            line.is_some_and(|line| line.contains("neap::access")),
            "{printed}"
        );
    }
}
