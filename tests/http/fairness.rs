//! What one client does takes no more than its share: the others are answered, and stops come in time.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use futures_lite::io::BufReader;
use futures_lite::{AsyncBufReadExt, AsyncRead, AsyncReadExt};
use neap::http::{App, Server};
use tide::{Body, Request};

use crate::door::of_tide;
use crate::http_support::{Client, eventually, run_in, tide_app::app};
use crate::runtimes::{Runtime, beside_all};

/// An endless body that has a byte for every second read, and wakes its reader for the next.
struct Busy {
    is_ready: bool,
}

impl AsyncRead for Busy {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.is_ready = !self.is_ready;
        if !self.is_ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        out[0] = b'x';
        Poll::Ready(Ok(1))
    }
}

/// An endless body that is always ready with a byte.
struct Ready;

impl AsyncRead for Ready {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        out[0] = b'x';
        Poll::Ready(Ok(1))
    }
}

fn attacked() -> impl App + 'static {
    let mut app = app();
    // Reads as fast as it can, that many bytes at a time.
    app.at("/read/:n")
        .post(|mut request: Request<()>| async move {
            let mut part = vec![0; request.param("n")?.parse()?];
            while request.read(&mut part).await? > 0 {}
            Ok("read")
        });
    app.at("/lines")
        .post(|mut request: Request<()>| async move {
            let (mut body, mut line) = (request.take_body(), String::new());
            while body.read_line(&mut line).await? > 0 {
                line.clear();
            }
            Ok("read")
        });
    app.at("/ready")
        .get(|_| async { Ok(Body::from_reader(BufReader::with_capacity(1, Ready), None)) });
    app.at("/busy").get(|_| async {
        let body = Busy { is_ready: false };
        Ok(Body::from_reader(BufReader::with_capacity(1, body), None))
    });
    of_tide(app)
}

/// More attackers than any of the runtimes has threads.
const MANY: usize = 6;

/// Has clients attack a server until they are cut. Meanwhile another one is answered, the drain ends
/// by its deadline, and a second stop cancels.
fn attack(runtime: Runtime, clients: usize, attack: fn(&mut Client)) {
    for is_forced in [false, true] {
        let limit = Duration::from_millis(if is_forced { 600_000 } else { 100 });
        let group = runtime.group().drain_timeout(limit);
        let running = run_in(runtime, group, Server::new(attacked(), "127.0.0.1:0"));
        let attackers: Vec<_> = (0..clients)
            .map(|_| {
                let mut client = running.connect();
                thread::spawn(move || {
                    attack(&mut client);
                    client
                })
            })
            .collect();
        for _ in 0..5 {
            let mut other = running.connect();
            for _ in 0..5 {
                assert_eq!(other.get("/hello").answer().text(), "Hello World!");
            }
        }
        running.handle.stop();
        if is_forced {
            eventually("the closed port", || running.refuses());
            running.handle.cancel();
        }
        let ended = running.wait();
        assert!(ended.report.cut.total() > 0, "{ended:?}");
        for attacker in attackers {
            attacker.join().unwrap();
        }
    }
}

/// Sends the same bytes until the connection is cut.
fn flood(client: &mut Client, bytes: &str) {
    let bytes = bytes.repeat(64 * 1024 / bytes.len());
    while client.stream.write_all(bytes.as_bytes()).is_ok() {}
}

/// Reads until the connection is cut.
fn swallow(client: &mut Client) {
    let mut part = vec![0; 1024 * 1024];
    while client.stream.read(&mut part).is_ok_and(|bytes| bytes > 0) {}
}

#[test]
fn i14_chunks_of_one_byte() {
    beside_all(|runtime| {
        attack(runtime, MANY, |client| {
            let head = "POST /read/4096 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
            client.send(head);
            flood(client, "1\r\nx\r\n");
        });
    });
}

#[test]
fn i14_a_handler_that_reads_one_byte_at_a_time() {
    beside_all(|runtime| {
        attack(runtime, 1, |client| {
            client.send("POST /read/1 HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999\r\n\r\n");
            flood(client, "x");
        });
    });
}

#[test]
fn i14_a_handler_that_reads_one_line_at_a_time() {
    beside_all(|runtime| {
        attack(runtime, 1, |client| {
            client.send("POST /lines HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999\r\n\r\n");
            flood(client, "\n");
        });
    });
}

#[test]
fn i14_a_body_that_is_always_ready() {
    beside_all(|runtime| {
        attack(runtime, 1, |client| {
            client.get("/ready");
            swallow(client);
        });
    });
}

#[test]
fn i14_requests_that_are_pipelined() {
    beside_all(|runtime| {
        attack(runtime, MANY, |client| {
            let mut reader = client.twin();
            let reading = thread::spawn(move || swallow(&mut reader));
            flood(client, "GET /hello HTTP/1.1\r\nhost: a\r\n\r\n");
            reading.join().unwrap();
        });
    });
}

#[test]
fn i14_upgraded_connections_that_are_flooded() {
    beside_all(|runtime| {
        // Its handlers are tasks of async-std, as many as that has threads.
        attack(runtime, MANY, |client| {
            client.send("GET /upgrade HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\n\r\n");
            let mut reader = client.twin();
            let reading = thread::spawn(move || swallow(&mut reader));
            flood(client, "x");
            reading.join().unwrap();
        });
    });
}

#[test]
fn i14_readers_of_a_busy_stream_that_stall() {
    beside_all(|runtime| {
        // It polls a task that has woken itself, as this body does, again at once: each of its threads
        // serves one connection for ever.
        if runtime == Runtime::ThreadPool {
            return;
        }
        attack(runtime, 50, |client| {
            let socket = socket2::SockRef::from(&client.stream);
            socket.set_recv_buffer_size(4096).unwrap();
            client.get("/busy");
        });
    });
}
