//! A panic of the user's code costs its connection, and nothing else.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_lite::AsyncRead;
use neap::http::Server;
use tide::{Body, Response};

use crate::http_support::{app, run_on};
use crate::runtimes::beside_all;

/// A body that gives as many bytes as it has, and then panics, or fails.
struct Broken {
    bytes: usize,
    panics: bool,
}

impl AsyncRead for Broken {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.bytes == 0 && self.panics {
            panic!("the body");
        } else if self.bytes == 0 {
            return Poll::Ready(Err(io::Error::from(io::ErrorKind::BrokenPipe)));
        }
        let bytes = self.bytes.min(out.len());
        out[..bytes].fill(b'x');
        self.bytes -= bytes;
        Poll::Ready(Ok(bytes))
    }
}

/// A body, or a handler, whose destructor panics.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the destructor");
    }
}

impl AsyncRead for Bomb {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(0))
    }
}

fn broken_app() -> tide::Server<()> {
    let mut app = app();
    for (path, bytes, panics) in [
        ("/panics-at-once", 0, true),
        ("/panics-late", 1_000_000, true),
        ("/fails-at-once", 0, false),
        ("/fails-late", 1_000_000, false),
    ] {
        app.at(path).get(move |_| async move {
            let body = futures_lite::io::BufReader::new(Broken { bytes, panics });
            Ok(Body::from_reader(body, None))
        });
    }
    app.at("/bomb").get(|_| async {
        let body = futures_lite::io::BufReader::new(Bomb);
        Ok(Response::builder(200).body(Body::from_reader(body, Some(0))))
    });
    app.at("/handler-bomb").get(|_| async {
        let _bomb = Bomb;
        futures_lite::future::yield_now().await;
        Ok("kept")
    });
    app
}

#[test]
fn i13_a_panic_of_a_body_or_a_destructor_costs_its_connection_alone() {
    beside_all(|runtime| {
        let running = run_on(runtime, Server::new(broken_app(), "127.0.0.1:0"));
        let mut other = running.connect();
        assert_eq!(other.get("/hello").answer().status, 200);
        for path in ["/panics-at-once", "/fails-at-once"] {
            let answer = running.connect().get(path).answer();
            assert_eq!((answer.status, answer.closes()), (500, true), "{path}");
        }
        for path in ["/panics-late", "/fails-late"] {
            let cut = running.connect().get(path).try_answer();
            let cut = cut.expect_err("no last chunk");
            assert_eq!(cut.kind(), io::ErrorKind::UnexpectedEof, "{path}");
        }
        for path in ["/bomb", "/handler-bomb"] {
            let mut client = running.connect();
            let status = client.get(path).answer().status;
            assert!([200, 500].contains(&status), "{path}: {status}");
        }
        assert_eq!(other.get("/hello").answer().text(), "Hello World!");
        let ended = running.stop();
        assert!(ended.result.is_ok(), "{ended:?}");
    });
}
