//! The body of a request, however a handler reads it.

use std::future::poll_fn;
use std::io::Write;
use std::pin::Pin;
use std::sync::mpsc::channel;
use std::time::Duration;

use axum::body::{Body as AxumBody, Bytes};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt;
use neap::http::{Body, Server, from_fn, service};

use crate::http_support::{Client, PATIENCE, run, run_on};
use crate::runtimes::{beside_all, limited};
use crate::serve;

const EXPECTING: &str = "host: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";

fn router() -> Router {
    Router::new()
        .route("/whole", post(async |body: Bytes| body.len().to_string()))
        .route(
            "/first",
            post(async |body: AxumBody| first(body).await.len().to_string()),
        )
        .route("/none", post(async |_: AxumBody| "unread"))
        .route("/echo", post(async |body: AxumBody| body))
        .route("/json", post(async |Json(text): Json<String>| text))
        .route("/task", post(in_a_task))
        .route("/hello", get(async || "hello"))
}

/// Reads the first frame.
async fn first(mut body: AxumBody) -> Bytes {
    let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
    frame.unwrap().unwrap().into_data().unwrap()
}

/// Has another task read the body.
async fn in_a_task(body: AxumBody) -> String {
    let (sender, receiver) = async_channel::bounded(1);
    smol::spawn(async move {
        let body = body.collect().await.unwrap().to_bytes();
        sender.send(body.len()).await.unwrap();
    })
    .detach();
    receiver.recv().await.unwrap().to_string()
}

#[test]
fn a_body_is_read_whole_in_part_not_at_all_or_by_another_task() {
    beside_all(|runtime| {
        let running = run_on(runtime, Server::new(service(router()), "127.0.0.1:0"));
        let mut client = running.connect();
        for length in [0, 1, 5000, 20_000, 100_000] {
            for path in ["/whole", "/none", "/task"] {
                // Many times: the same head is recognised.
                for _ in 0..4 {
                    let body = "x".repeat(length);
                    let head = format!(
                        "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n"
                    );
                    let answer = client.send(head).send(&body).answer();
                    let expected = if path == "/none" {
                        "unread".into()
                    } else {
                        length.to_string()
                    };
                    assert_eq!(
                        (answer.text(), answer.closes()),
                        (&*expected, false),
                        "{path} {length}"
                    );
                }
                client.send(format!(
                    "POST {path} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
                ));
                if length > 0 {
                    client.send(format!("{length:x}\r\n{}\r\n", "x".repeat(length)));
                }
                let answer = client.send("0\r\n\r\n").answer();
                assert!(!answer.closes(), "{path} {length}: {answer:?}");
            }
        }
        // What is left of it is passed over, and the connection goes on.
        client.send("POST /first HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nfirst");
        assert_eq!(client.answer().text(), "5");
        client.send("x".repeat(99_995));
        assert_eq!(client.get("/hello").answer().text(), "hello");
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn a_body_that_is_read_after_its_answer_is_an_error_and_no_hang() {
    beside_all(|runtime| {
        let (sender, read) = channel();
        let late = move |body: AxumBody| {
            let sender = sender.clone();
            async move {
                smol::spawn(async move { sender.send(body.collect().await.is_err()) }).detach();
                "answered"
            }
        };
        let app = service(Router::new().route("/late", post(late)));
        let running = run_on(runtime, Server::new(app, "127.0.0.1:0"));
        let mut client = running.connect();
        for head in ["content-length: 5", "transfer-encoding: chunked"] {
            client.send(format!("POST /late HTTP/1.1\r\nhost: a\r\n{head}\r\n\r\n"));
            assert_eq!(client.answer().text(), "answered");
            assert!(read.recv_timeout(PATIENCE).unwrap(), "it was short");
            client.send(if head.contains("chunked") {
                "0\r\n\r\n"
            } else {
                "hello"
            });
        }
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn a_body_says_what_is_left_of_it() {
    limited(|| {
        let app = from_fn(async |request: Request<Body>| {
            let mut body = request.into_body();
            let mut said = Vec::new();
            loop {
                said.push((body.size_hint().exact(), body.is_end_stream()));
                let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
                if frame.is_none() {
                    said.push((body.size_hint().exact(), body.is_end_stream()));
                    return Response::new(format!("{said:?}"));
                }
            }
        });
        let running = run(Server::new(app, "127.0.0.1:0"));
        let mut client = running.connect();
        let ended = (Some(0), true);
        assert_eq!(
            client.get("/").answer().text(),
            format!("{:?}", [ended, ended])
        );
        client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello");
        assert_eq!(
            client.answer().text(),
            format!("{:?}", [(Some(5), false), ended, ended])
        );
        client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
        client.send("5\r\nhello\r\n0\r\n\r\n");
        let unknown = (None, false);
        assert_eq!(
            client.answer().text(),
            format!("{:?}", [unknown, unknown, ended])
        );
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn a_body_longer_than_the_limit_is_a_413() {
    limited(|| {
        let app = service(router());
        let running = run(Server::new(app, "127.0.0.1:0").max_body(10));
        let ask = |path: &str, rest: &str| {
            let mut client = running.connect();
            client.send(format!("POST {path} HTTP/1.1\r\nhost: a\r\n{rest}"));
            let answer = client.answer();
            (answer.status, answer.closes())
        };
        // That of a length is refused before a handler sees it, and without being asked for.
        for path in ["/whole", "/none"] {
            assert_eq!(ask(path, "content-length: 11\r\n\r\n"), (413, true));
            assert_eq!(
                ask(path, "expect: 100-continue\r\ncontent-length: 11\r\n\r\n"),
                (413, true)
            );
            assert_eq!(
                ask(path, "content-length: 10\r\n\r\n0123456789"),
                (200, false)
            );
        }
        let chunked = "transfer-encoding: chunked\r\n\r\n";
        for path in ["/whole", "/json"] {
            let head = format!("content-type: application/json\r\n{chunked}");
            assert_eq!(
                ask(
                    path,
                    &format!("{head}6\r\n\"01234\r\n6\r\n56789\"\r\n0\r\n\r\n")
                ),
                (413, true),
                "{path}"
            );
        }
        // The response asks for it, and nothing of that has left.
        assert_eq!(
            ask("/echo", &format!("{chunked}b\r\n0123456789a\r\n0\r\n\r\n")),
            (413, true)
        );
        assert_eq!(
            ask("/whole", &format!("{chunked}a\r\n0123456789\r\n0\r\n\r\n")),
            (200, false)
        );
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn a_broken_body_is_an_error_of_the_client() {
    limited(|| {
        let running = serve(router());
        for path in ["/whole", "/json", "/echo"] {
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
            );
            let answer = running.connect().send(head).send("x\r\n").answer();
            assert_eq!(
                (answer.status, answer.closes()),
                (400, true),
                "{path}: {answer:?}"
            );
        }
        // A client that ends early takes the handler with it, and is told nothing.
        let mut client = running.connect();
        client
            .send("POST /whole HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhel")
            .finish();
        let _ = client.try_answer();
        assert_eq!(running.connect().get("/hello").answer().text(), "hello");
        assert!(running.stop().result.is_ok());
    });
}

#[test]
fn a_client_that_waits_is_asked_once_the_body_is_read() {
    beside_all(|runtime| {
        let running = run_on(runtime, Server::new(service(router()), "127.0.0.1:0"));
        for path in ["/whole", "/echo", "/task", "/first"] {
            let mut client = running.connect();
            for _ in 0..4 {
                client.send(format!("POST {path} HTTP/1.1\r\n{EXPECTING}"));
                let head = client.head().unwrap().unwrap();
                assert!(head.starts_with("http/1.1 100 "), "{path}: {head}");
                let answer = client.send("hello").answer();
                let expected = if path == "/echo" { "hello" } else { "5" };
                assert_eq!(answer.text(), expected, "{path}");
                if answer.closes() {
                    client = running.connect();
                }
            }
        }
        // Nobody reads these, so the client is not asked, and the connection closes.
        for (path, status) in [("/none", 200), ("/hello", 405), ("/nowhere", 404)] {
            let mut client: Client = running.connect();
            let answer = client
                .send(format!("POST {path} HTTP/1.1\r\n{EXPECTING}"))
                .answer();
            assert_eq!((answer.status, answer.closes()), (status, true), "{path}");
            let _ = client.stream.write_all(b"hello");
        }
        let mut client = running.connect();
        let other = "POST /whole HTTP/1.1\r\nhost: a\r\nexpect: tea\r\ncontent-length: 5\r\n\r\n";
        assert_eq!(
            client.send(other).answer().status,
            StatusCode::EXPECTATION_FAILED
        );
        drop(client);
        assert!(running.stop().result.is_ok());
    });
}

#[test]
fn a_body_that_is_too_slow_is_a_408() {
    limited(|| {
        let server = Server::new(service(router()), "127.0.0.1:0");
        let running = run(server.body_timeout(Duration::from_millis(50)));
        let mut client = running.connect();
        client.send("POST /whole HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhel");
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (408, true), "{answer:?}");
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn i14_a_body_of_tiny_chunks_takes_little_memory() {
    limited(|| {
        const CHUNKS: usize = 3000;
        // Returns the number of frames, and how much memory all of them hold.
        let app = from_fn(async |request: Request<Body>| {
            let mut body = request.into_body();
            let mut frames = Vec::new();
            while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                frames.push(frame.unwrap().into_data().unwrap());
            }
            drop(body);
            let number = frames.len();
            let held = frames
                .into_iter()
                .map(|frame| frame.try_into_mut().unwrap().capacity());
            Response::new(format!("{number} {}", held.sum::<usize>()))
        });
        let running = run(Server::new(app, "127.0.0.1:0"));
        let mut client = running.connect();
        client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
        let answer = client
            .send("1\r\nx\r\n".repeat(CHUNKS))
            .send("0\r\n\r\n")
            .answer();
        let (number, held) = answer.text().split_once(' ').unwrap();
        assert_eq!(number, CHUNKS.to_string());
        let held: usize = held.parse().unwrap();
        assert!(held < 100 * CHUNKS, "{held} bytes for {CHUNKS}");
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}
