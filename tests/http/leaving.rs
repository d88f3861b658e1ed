//! Clients that leave before they have their answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use async_channel::Sender;
use futures_lite::AsyncRead;
use futures_lite::io::BufReader;
use neap::http::{self, App, Server};
use tide::{Body, Request};

use crate::http_support::{Client, app, eventually, run, run_on};
use crate::runtimes::{Gate, beside_all};

/// How many handlers are at work.
type Count = Arc<AtomicUsize>;

/// A handler that is counted until it is dropped.
struct Counted(Count);

impl Counted {
    fn new(count: &Count) -> Counted {
        count.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An app that answers once the gate is open, and the number of its handlers.
fn waiting(gate: &Gate) -> (impl App + 'static, Count) {
    let (gate, count) = (gate.clone(), Count::default());
    let counted = Arc::clone(&count);
    let app = http::from_tide_fn(move |request: http_types::Request| {
        let (gate, counted) = (gate.clone(), Counted::new(&counted));
        async move {
            let _counted = counted;
            gate.pass().await;
            drop(request);
            Ok(http_types::Response::from("at last"))
        }
    });
    (app, count)
}

#[track_caller]
fn wait_for(count: &Count, handlers: usize) {
    eventually("the number of handlers", || {
        count.load(Ordering::Relaxed) == handlers
    });
}

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhello";

#[test]
fn a_client_that_leaves_a_long_poll_is_noticed() {
    beside_all(|runtime| {
        let (app, count) = waiting(&Gate::new());
        let running = run_on(runtime, Server::new(app, "127.0.0.1:0"));
        // With the next request in the buffer, with a body that nobody has read, and without.
        let pipelined = GET.repeat(2);
        for request in [GET, POST, &pipelined] {
            let clients = |count| (0..count).map(|_| running.connect()).collect::<Vec<_>>();
            let (mut closing, mut resetting) = (clients(50), clients(50));
            for client in closing.iter_mut().chain(&mut resetting) {
                client.send(request);
            }
            wait_for(&count, 100);
            drop(closing);
            wait_for(&count, 50);
            resetting.into_iter().for_each(Client::reset);
            wait_for(&count, 0);
        }
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn a_client_that_closes_its_side_is_answered_if_that_is_allowed() {
    for half_close in [false, true] {
        let gate = Gate::new();
        let (app, count) = waiting(&gate);
        let server = Server::new(app, "127.0.0.1:0").half_close(half_close);
        let running = run(server);
        let mut clients = [GET, POST].map(|request| {
            let mut client = running.connect();
            client.send(request);
            client
        });
        wait_for(&count, 2);
        for client in &mut clients {
            client.finish();
        }
        if half_close {
            // One that resets meanwhile is noticed beside them.
            let mut other = running.connect();
            other.send(GET);
            wait_for(&count, 3);
            other.reset();
            wait_for(&count, 2);
            gate.open();
        }
        for client in &mut clients {
            let answer = client.try_answer().unwrap();
            assert_eq!(answer.is_some(), half_close, "{answer:?}");
        }
        wait_for(&count, 0);
        running.stop();
    }
}

#[test]
fn an_answer_that_is_there_at_once_is_sent_in_any_case() {
    let running = run(Server::new(app(), "127.0.0.1:0"));
    for _ in 0..100 {
        let mut client = running.connect();
        client.get("/bytes/3000000").finish();
        assert_eq!(client.answer().body.len(), 3_000_000);
    }
    running.stop();
}

/// A body that never ends, and closes a channel when it is dropped.
struct Endless(#[allow(dead_code, reason = "it is dropped")] Sender<()>);

impl AsyncRead for Endless {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Pending
    }
}

#[test]
fn an_endless_answer_ends_when_its_client_leaves() {
    let without_body = "GET /endless HTTP/1.1\r\nhost: a\r\n\r\n";
    let with_body = "POST /endless HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx";
    let leave: [fn(Client); 2] = [Client::reset, drop];
    for (request, leave) in [without_body, with_body]
        .into_iter()
        .flat_map(|request| leave.map(|leave| (request, leave)))
    {
        let (sender, receiver) = async_channel::bounded::<()>(1);
        let mut app = app();
        app.at("/endless").all(move |mut request: Request<()>| {
            let body = Endless(sender.clone());
            async move {
                request.body_bytes().await?;
                Ok(Body::from_reader(BufReader::new(body), None))
            }
        });
        let running = run(Server::new(app, "127.0.0.1:0"));
        let mut client = running.connect();
        client.send(request).head().unwrap().unwrap();
        leave(client);
        eventually("the end of the body", || receiver.sender_count() == 1);
        running.stop();
    }
}
