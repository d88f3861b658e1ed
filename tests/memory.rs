//! What the connections of a server hold in memory: an idle one as much after a burst of requests as if
//! it had never asked, and one that waits for its client little more than what that has sent.

#![cfg(feature = "tide")]

#[path = "http_support/mod.rs"]
mod http_support;
#[path = "runtimes/mod.rs"]
mod runtimes;

use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use futures_lite::io::BufReader;
use futures_lite::{AsyncBufReadExt, AsyncRead};
use neap::http::Server;
use tide::Body;

use http_support::{Client, Running, app, eventually, run_on};
use runtimes::Runtime;

/// Counts the bytes that all threads have allocated and not freed.
struct Count;

static LIVE: AtomicIsize = AtomicIsize::new(0);

#[allow(unsafe_code)]
// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Count {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Count = Count;

const CLIENTS: usize = 300;

/// A body that sends one part of 10,000 bytes, and then waits for ever.
struct OnePart(bool);

impl AsyncRead for OnePart {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Pending;
        }
        Poll::Ready(Ok(out.len().min(10_000)))
    }
}

fn served() -> tide::Server<()> {
    let mut app = app();
    app.at("/line")
        .post(|mut request: tide::Request<()>| async move {
            let mut line = String::new();
            request.take_body().read_line(&mut line).await?;
            Ok(line)
        });
    app.at("/part").get(|_| async {
        let body = BufReader::with_capacity(1, OnePart(false));
        Ok(Body::from_reader(body, None))
    });
    app
}

fn connect(running: &Running) -> Vec<Client> {
    (0..CLIENTS).map(|_| running.connect()).collect()
}

/// The bytes that are live once that has not changed for a while.
fn settled() -> isize {
    let (mut live, mut times) = (0, 0);
    eventually("a heap that does not change", || {
        thread::sleep(Duration::from_millis(10));
        let now = LIVE.load(Ordering::Relaxed);
        times = if now == live { times + 1 } else { 0 };
        live = now;
        times == 20
    });
    live
}

fn post(path: &str, bytes: usize) -> String {
    let body = "x".repeat(bytes);
    format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {bytes}\r\n\r\n{body}")
}

fn requests() -> [String; 6] {
    let head = "x".repeat(15_000);
    [
        "GET /hello HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(),
        format!("GET /hello HTTP/1.1\r\nhost: a\r\nx: {head}\r\n\r\n"),
        post("/read", 60_000),
        post("/echo", 60_000),
        "POST /read HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
            .to_owned(),
        "GET /bytes/200000 HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(),
    ]
}

/// Has all clients send a request at once, in two halves, and read their answers.
fn burst(clients: &mut [Client], request: &str) {
    let (first, rest) = request.as_bytes().split_at(request.len() / 2);
    for half in [first, rest] {
        for client in &mut *clients {
            client.send(half);
        }
    }
    for client in clients {
        assert_eq!(client.answer().status, 200);
        client.shrink();
    }
}

#[test]
fn an_idle_connection_holds_after_a_burst_what_it_held_before() {
    let running = run_on(Runtime::InPlaceOnSmol, Server::new(served(), "127.0.0.1:0"));
    for request in &requests() {
        // What a thread keeps for its next connections is there after the first clients.
        burst(&mut connect(&running), request);
        settled();
        let mut clients = connect(&running);
        let idle = settled();
        burst(&mut clients, request);
        let left = (settled() - idle) / CLIENTS as isize;
        // Some buffers more or less are kept by the thread; a request in flight has some 3,000 bytes.
        assert!(left < 300, "{left} bytes a connection after {request:.20}");
    }
    for (part, most) in [
        ("GET /hello HTTP/1.1\r\nhost: ", 500),
        // The handler, its request and its response are there.
        (
            "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n4\r\n",
            10_000,
        ),
        (
            "POST /line HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhello",
            10_000,
        ),
        ("GET /part HTTP/1.1\r\nhost: a\r\n\r\n", 10_000),
    ] {
        let mut clients = connect(&running);
        let before = settled();
        for client in &mut clients {
            client.send(part);
        }
        let held = (settled() - before) / CLIENTS as isize;
        assert!(held < most, "{held} bytes a connection for {part:.20}");
    }
    running.stop();
}
