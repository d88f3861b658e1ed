//! Bodies that come and go while the handler is at work, and trailers.

use std::convert::Infallible;
use std::thread;

use axum::body::Body as AxumBody;
use axum::response::Sse;
use axum::response::sse::Event;
use axum::routing::{get, post};
use axum::{Extension, Router};
use futures_lite::{Stream, stream};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use neap::http::{Body, RequestContext, Server, from_fn};

use crate::http_support::{Client, run};
use crate::runtimes::{beside_all, limited};
use crate::scripted::{Scripted, Step, frames, pattern};
use crate::{serve, serve_on};

/// Sends an event at once, and another at the stop.
async fn events(
    Extension(context): Extension<RequestContext>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let token = context.stop_token();
    Sse::new(stream::unfold(0, move |count| {
        let token = token.clone();
        async move {
            let event = Event::default();
            let event = match count {
                0 => event.event("hello").data("one"),
                1 => {
                    token.stopped().await;
                    event.event("bye").data("two")
                }
                _ => return None,
            };
            Some((Ok(event), count + 1))
        }
    }))
}

#[test]
fn events_come_one_by_one_and_end_at_the_stop() {
    beside_all(|runtime| {
        let running = serve_on(runtime, Router::new().route("/events", get(events)));
        let mut client = running.connect();
        let head = client.get("/events").head().unwrap().unwrap();
        assert!(
            head.contains("\r\ntransfer-encoding: chunked\r\n"),
            "{head}"
        );
        assert!(
            head.contains("\r\ncontent-type: text/event-stream\r\n"),
            "{head}"
        );
        client.read_until("data: one\n\n");
        running.handle.stop();
        client.read_until("data: two\n\n");
        client.read_until("\r\n0\r\n\r\n");
        drop(client);
        let ended = running.wait();
        assert!(ended.report.is_clean(), "{ended:?}");
    });
}

/// Sends a body in chunks of all sizes.
fn send_chunks(sender: &mut Client, body: &[u8]) {
    let (mut rest, mut size) = (body, 1);
    while !rest.is_empty() {
        let (part, behind) = rest.split_at(size.min(rest.len()));
        sender
            .send(format!("{:x}\r\n", part.len()))
            .send(part)
            .send("\r\n");
        (rest, size) = (behind, size * 2 % 100_003);
    }
    sender.send("0\r\n\r\n");
}

#[test]
fn a_large_body_is_streamed_back_while_it_is_sent() {
    beside_all(|runtime| {
        const LENGTH: usize = 3_000_000;
        let running = serve_on(
            runtime,
            Router::new().route("/", post(async |body: AxumBody| body)),
        );
        // A length, which the answer then has too, and chunks of all sizes. So much of the body is left when
        // the answer begins that the connection closes behind it.
        for framing in [
            format!("content-length: {LENGTH}"),
            "transfer-encoding: chunked".into(),
        ] {
            let mut client = running.connect();
            let mut sender = client.twin();
            let head = format!("POST / HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n");
            let sending = thread::spawn(move || {
                let body = pattern(0, LENGTH);
                sender.send(&head);
                if head.contains("content-length") {
                    sender.send(&body);
                } else {
                    send_chunks(&mut sender, &body);
                }
            });
            let answer = client.answer();
            assert!(
                answer.head.contains(&format!("\r\n{framing}\r\n")),
                "{}",
                answer.head
            );
            assert!(
                answer.body == pattern(0, LENGTH),
                "{framing}: {}",
                answer.body.len()
            );
            sending.join().unwrap();
        }
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn each_part_is_answered_before_the_next_is_sent() {
    limited(|| {
        let running = serve(Router::new().route("/", post(async |body: AxumBody| body)));
        let mut client = running.connect();
        client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
        for number in 100..110 {
            client.send(format!("3\r\n{number}\r\n"));
            client.read_until(&format!("3\r\n{number}\r\n"));
        }
        client.send("0\r\n\r\n").read_until("\r\n0\r\n\r\n");
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn trailers_go_both_ways() {
    beside_all(|runtime| {
        let app = from_fn(async |request: Request<Body>| {
            if request.uri().path() == "/echo" {
                return Response::new(AxumBody::new(request.into_body()));
            }
            let body = request.into_body().collect().await.unwrap();
            let sum = body.trailers().and_then(|trailers| trailers.get("x-sum"));
            let sum = sum.map_or("none", |sum| sum.to_str().unwrap()).to_owned();
            Response::new(AxumBody::from(format!("{sum} {:?}", body.to_bytes())))
        });
        let running = crate::http_support::run_on(runtime, Server::new(app, "127.0.0.1:0"));
        let mut client = running.connect();
        let chunks = "transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n";
        // More than twice, as the same head is then recognised.
        for sum in ["1", "2", "3", "4"] {
            client.send(format!(
                "POST /read HTTP/1.1\r\nhost: a\r\n{chunks}x-sum: {sum}\r\n\r\n"
            ));
            assert_eq!(client.answer().text(), format!("{sum} b\"hi\""));
            client.send(format!("POST /read HTTP/1.1\r\nhost: a\r\n{chunks}\r\n"));
            assert_eq!(client.answer().text(), "none b\"hi\"");
        }
        client.send(format!(
            "POST /echo HTTP/1.1\r\nhost: a\r\n{chunks}x-sum: 5\r\nx-other: 6\r\n\r\n"
        ));
        assert!(
            client
                .head()
                .unwrap()
                .unwrap()
                .contains("\r\ntransfer-encoding: chunked\r\n")
        );
        client.read_until("2\r\nhi\r\n0\r\nx-sum: 5\r\nx-other: 6\r\n\r\n");
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

/// Returns trailers, one with each of these values.
fn trailers(values: &[&str]) -> Step {
    let mut trailers = HeaderMap::new();
    for value in values {
        trailers.append("x-one", value.parse().unwrap());
    }
    Step::Trailers(trailers)
}

#[test]
fn trailers_without_a_body_in_front_of_more_and_where_there_is_no_place_for_them() {
    limited(|| {
        let running = run(Server::new(
            from_fn(async |request: Request<Body>| {
                Response::new(match request.uri().path() {
                    "/alone" => Scripted::new([trailers(&["a"])]),
                    "/two" => Scripted::new([Step::Wait, trailers(&["a", "b"]), Step::Wait]),
                    _ => Scripted::new(frames(&[3]).into_iter().chain([trailers(&["a"])]))
                        .claiming(3),
                })
            }),
            "127.0.0.1:0",
        ));
        let mut client = running.connect();
        let head = client.get("/alone").head().unwrap().unwrap();
        assert!(
            head.contains("\r\ntransfer-encoding: chunked\r\n"),
            "{head}"
        );
        assert_eq!(client.take(15).unwrap(), b"0\r\nx-one: a\r\n\r\n");
        client.get("/two").head().unwrap();
        assert_eq!(
            client.take(25).unwrap(),
            b"0\r\nx-one: a\r\nx-one: b\r\n\r\n"
        );
        // Behind a length nothing can follow (RFC 9112, 7.1.2).
        assert_eq!(client.get("/exact").answer().body, pattern(0, 3));
        // HTTP/1.0 has none: the body ends with the connection.
        let answer = client.send("GET /two HTTP/1.0\r\n\r\n").answer();
        assert!(answer.body.is_empty() && answer.closes(), "{answer:?}");
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}
