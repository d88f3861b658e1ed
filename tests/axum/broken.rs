//! Bodies and services that fail, panic, or do not keep to what they have said.

use std::fmt;
use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body as AxumBody;
use bytes::{Buf, Bytes};
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use neap::http::{App, Body, Server, from_fn, service};
use tower::service_fn;

use crate::http_support::{run, run_on};
use crate::runtimes::{beside_all, limited};
use crate::scripted::{Scripted, Step, frames, pattern};

/// Returns frames of these sizes, and then one more step.
fn then(sizes: &[usize], step: Step) -> Scripted {
    Scripted::new(frames(sizes).into_iter().chain([step]))
}

fn app() -> impl App + 'static {
    from_fn(async |request: Request<Body>| {
        Response::new(match request.uri().path() {
            "/fails-at-once" => Scripted::new([Step::Fail]),
            "/fails-after-a-wait" => Scripted::new([Step::Wait, Step::Fail]),
            "/panics-at-once" => Scripted::new([Step::Panic]),
            // Of these nothing is on its way when they fail.
            "/fails-soon" => then(&[5], Step::Fail),
            "/panics-soon" => then(&[5], Step::Panic).claiming(100),
            "/fails-late" => then(&[5, 100_000], Step::Fail),
            "/panics-late" => then(&[100_000], Step::Panic).claiming(200_000),
            "/fails-in-the-middle" => then(&[5, 9000], Step::Fail).claiming(20_000),
            "/short" => Scripted::new(frames(&[5])).claiming(6),
            "/short-late" => Scripted::new(frames(&[100_000])).claiming(100_001),
            "/long" => Scripted::new(frames(&[5, 9000])).claiming(7),
            "/long-at-once" => Scripted::new(frames(&[100_000])).claiming(7),
            "/long-in-the-end" => Scripted::new(frames(&[7, 9000])).claiming(7),
            "/fails-behind-its-length" => then(&[7], Step::Fail).claiming(7),
            "/panics-behind-its-length" => then(&[7], Step::Panic).claiming(7),
            "/empty-for-ever" => then(&[7], Step::EmptyForEver),
            _ => Scripted::new(frames(&[5])),
        })
    })
}

#[test]
fn i13_a_body_that_breaks_off_is_answered_for_or_cut_so_that_it_shows() {
    beside_all(|runtime| {
        let running = run_on(runtime, Server::new(app(), "127.0.0.1:0"));
        let mut other = running.connect();
        for path in [
            "/fails-at-once",
            "/panics-at-once",
            "/fails-soon",
            "/panics-soon",
            "/short",
        ] {
            for version in ["1.0", "1.1"] {
                let answer = running
                    .connect()
                    .send(format!("GET {path} HTTP/{version}\r\nhost: a\r\n\r\n"))
                    .answer();
                let answer = (answer.status, answer.text(), answer.closes());
                assert_eq!(answer, (500, "", true), "{path} {version}");
            }
        }
        // The head has left before: at once, or as the body has waited.
        for path in [
            "/fails-after-a-wait",
            "/fails-late",
            "/panics-late",
            "/fails-in-the-middle",
            "/short-late",
        ] {
            let cut = running.connect().get(path).try_answer();
            assert_eq!(cut.unwrap_err().kind(), ErrorKind::UnexpectedEof, "{path}");
        }
        for path in ["/fails-after-a-wait", "/fails-late"] {
            // The end of the connection is the end of the answer: a cut must be a reset.
            let cut = running
                .connect()
                .send(format!("GET {path} HTTP/1.0\r\n\r\n"))
                .try_answer();
            assert_eq!(
                cut.unwrap_err().kind(),
                ErrorKind::ConnectionReset,
                "{path}"
            );
        }
        assert_eq!(other.get("/").answer().body, pattern(0, 5));
        drop(other);
        assert!(running.stop().result.is_ok());
    });
}

#[test]
fn a_body_that_has_more_than_it_says_is_cut_there_and_the_connection_goes_on() {
    limited(|| {
        let running = run(Server::new(app(), "127.0.0.1:0"));
        let mut client = running.connect();
        for path in [
            "/long",
            "/long-at-once",
            "/long-in-the-end",
            "/fails-behind-its-length",
            "/panics-behind-its-length",
        ] {
            assert_eq!(client.get(path).answer().body, pattern(0, 7), "{path}");
        }
        assert_eq!(client.get("/").answer().body, pattern(0, 5));
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn i14_a_body_of_empty_frames_without_an_end_takes_no_more_than_its_share() {
    beside_all(|runtime| {
        let running = run_on(runtime, Server::new(app(), "127.0.0.1:0"));
        let (mut busy, mut other) = (running.connect(), running.connect());
        busy.get("/empty-for-ever").head().unwrap();
        for _ in 0..3 {
            assert_eq!(other.get("/").answer().body, pattern(0, 5));
        }
        // A client that leaves takes its body with it.
        drop((busy, other));
        let ended = running.stop();
        assert!(ended.report.is_clean(), "{ended:?}");
    });
}

/// An error that panics when it is dropped, or when it is displayed.
#[derive(Debug)]
enum Bomb {
    Drop,
    Words,
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!matches!(self, Bomb::Drop), "the destructor");
    }
}

impl fmt::Display for Bomb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert!(!matches!(self, Bomb::Words), "the words");
        f.write_str("a bomb")
    }
}

impl std::error::Error for Bomb {}

/// A body with a bomb somewhere.
struct Mined(&'static str);

/// Bytes that panic when they are copied.
struct MinedBytes;

impl Buf for MinedBytes {
    fn remaining(&self) -> usize {
        5
    }

    fn chunk(&self) -> &[u8] {
        panic!("the bytes");
    }

    fn advance(&mut self, _: usize) {}
}

impl http_body::Body for Mined {
    type Data = MinedBytes;
    type Error = Bomb;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<MinedBytes>, Bomb>>> {
        match self.0 {
            "/error" => Poll::Ready(Some(Err(Bomb::Drop))),
            "/words" => Poll::Ready(Some(Err(Bomb::Words))),
            "/bytes" => Poll::Ready(Some(Ok(Frame::data(MinedBytes)))),
            _ => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self.0 {
            "/hint" => panic!("the hint"),
            _ => SizeHint::default(),
        }
    }
}

impl Drop for Mined {
    fn drop(&mut self) {
        if self.0 == "/drop" {
            panic!("the destructor");
        }
    }
}

#[test]
fn i13_a_panic_anywhere_in_a_body_costs_its_connection_alone() {
    beside_all(|runtime| {
        let app = from_fn(async |request: Request<Body>| {
            let body = match request.uri().path() {
                "/error" => Mined("/error"),
                "/words" => Mined("/words"),
                "/bytes" => Mined("/bytes"),
                "/hint" => Mined("/hint"),
                "/drop" => Mined("/drop"),
                _ => Mined("/"),
            };
            assert!(!body.is_end_stream());
            Response::new(body)
        });
        let running = run_on(runtime, Server::new(app, "127.0.0.1:0"));
        let mut other = running.connect();
        for path in ["/error", "/words", "/bytes", "/hint", "/drop"] {
            for method in ["GET", "HEAD"] {
                let mut client = running.connect();
                client.send(format!("{method} {path} HTTP/1.1\r\nhost: a\r\n\r\n"));
                let head = client
                    .head()
                    .unwrap()
                    .unwrap_or_else(|| panic!("no answer to {path}"));
                if (path, method) != ("/drop", "GET") && (method == "GET" || path == "/hint") {
                    assert!(head.starts_with("http/1.1 500 "), "{path}: {head}");
                }
                assert_eq!(other.get("/").answer().status, 200, "beside {path}");
            }
        }
        drop(other);
        let ended = running.stop();
        assert!(ended.result.is_ok(), "{ended:?}");
    });
}

#[test]
fn i13_so_does_one_in_a_service() {
    beside_all(|runtime| {
        let app = service(service_fn(|request: Request<Body>| {
            let path = request.uri().path().to_owned();
            if path == "/call" {
                panic!("the call");
            }
            async move {
                match path.as_str() {
                    "/future" => panic!("the future"),
                    "/error" => Err(Bomb::Drop),
                    _ => Ok(Response::new(AxumBody::from("hello"))),
                }
            }
        }));
        let running = run_on(runtime, Server::new(app, "127.0.0.1:0"));
        let mut other = running.connect();
        for path in ["/call", "/future", "/error"] {
            let answer = running.connect().get(path).answer();
            assert_eq!((answer.status, answer.closes()), (500, true), "{path}");
            assert_eq!(other.get("/").answer().text(), "hello");
        }
        drop(other);
        assert!(running.stop().result.is_ok());
    });
}

/// A body of which two frames are one buffer of two parts, as `Bytes` need not be.
struct TwoParts(bool);

impl http_body::Body for TwoParts {
    type Data = bytes::buf::Chain<Bytes, Bytes>;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = || Ok(Frame::data(pattern(0, 6000).chain(pattern(6000, 6000))));
        let is_first = !std::mem::replace(&mut self.0, true);
        Poll::Ready(is_first.then(frame))
    }
}

#[test]
fn a_buffer_of_several_parts_is_sent_whole() {
    limited(|| {
        let app = from_fn(async |_| Response::new(TwoParts(false)));
        let running = run(Server::new(app, "127.0.0.1:0"));
        let answer = running.connect().get("/").answer();
        assert_eq!(answer.body, pattern(0, 12_000));
        assert!(running.stop().report.is_clean());
    });
}
