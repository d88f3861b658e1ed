//! A panic of the user's code costs its connection, and nothing else.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_lite::{AsyncBufRead, AsyncRead};
use neap::http::Server;
use neap::test::{Clock, Network};
use tide::{Body, Response};

use crate::http_support::in_memory::{Site, serve};
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

/// A body, or a part of a handler or of an error, whose destructor panics.
#[derive(Debug)]
struct Bomb {
    /// Whether the body fails, or has no byte.
    fails: bool,
}

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
        Poll::Ready(match self.fails {
            true => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
            false => Ok(0),
        })
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
    for (path, status, fails) in [
        ("/bomb", 200, false),
        ("/early-bomb", 103, false),
        ("/broken-bomb", 200, true),
    ] {
        app.at(path).all(move |_| async move {
            let body = futures_lite::io::BufReader::new(Bomb { fails });
            Ok(Response::builder(status).body(Body::from_reader(body, None)))
        });
    }
    app.at("/error-bomb").get(|_| async {
        let bomb = Bomb { fails: false };
        Err::<&str, _>(tide::Error::new(500, FailsWithABomb(bomb)))
    });
    app.at("/handler-bomb").get(|_| async {
        let _bomb = Bomb { fails: false };
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

/// A body of many bytes in memory, which panics once some of them were taken.
struct PanicsWhenTaken;

impl AsyncRead for PanicsWhenTaken {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        panic!("not read");
    }
}

impl AsyncBufRead for PanicsWhenTaken {
    fn poll_fill_buf(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Poll::Ready(Ok(&[b'x'; 100_000]))
    }

    fn consume(self: Pin<&mut Self>, _: usize) {
        panic!("taken");
    }
}

#[test]
fn i13_so_does_a_body_that_panics_as_its_bytes_are_taken() {
    beside_all(|runtime| {
        let mut app = app();
        app.at("/taken")
            .get(|_| async { Ok(Body::from_reader(PanicsWhenTaken, Some(1_000_000))) });
        let running = run_on(runtime, Server::new(app, "127.0.0.1:0"));
        let mut other = running.connect();
        let cut = running.connect().get("/taken").try_answer();
        assert_eq!(cut.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(other.get("/hello").answer().text(), "Hello World!");
        drop(other);
        assert!(running.stop().result.is_ok());
    });
}

/// An error whose destructor panics.
#[derive(Debug)]
struct FailsWithABomb(#[allow(dead_code, reason = "it is dropped")] Bomb);

impl std::fmt::Display for FailsWithABomb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it failed")
    }
}

impl std::error::Error for FailsWithABomb {}

#[test]
fn i13_so_does_a_destructor_wherever_what_it_is_of_is_dropped() {
    beside_all(|runtime| {
        let running = run_on(runtime, Server::new(broken_app(), "127.0.0.1:0"));
        let mut other = running.connect();
        for request in [
            "POST /bomb HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx",
            "GET /bomb HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            "GET /early-bomb HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET /broken-bomb HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET /error-bomb HTTP/1.1\r\nhost: a\r\n\r\n",
        ] {
            // Answered or cut, as the panic allows.
            let _ = running.connect().send(request).try_answer();
            assert_eq!(other.get("/hello").answer().text(), "Hello World!");
        }
        let ended = running.stop();
        assert!(ended.result.is_ok(), "{ended:?}");
    });
}

#[test]
fn a_body_that_fails_takes_no_whole_answer_from_a_client_that_still_sends() {
    for path in ["/panics-late", "/fails-late"] {
        let place = (Network::with_capacity(8_000_000), Clock::new());
        let server = |address| Server::new(broken_app(), address);
        let story = async |site: Site| {
            let mut client = site.connect().await;
            let get = |path| format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
            let upload = "POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 900000\r\n\r\n";
            let rest = "x".repeat(100_000);
            let all = get("/hello") + &get(path) + upload + &rest;
            client.send(all).await;
            client.end().await
        };
        let (ended, seen) = serve(place, server, story);
        ended.result.unwrap();
        let seen = seen.expect("no reset");
        assert!(seen.contains("Hello World!"), "{path}");
        // What has come of the body shows that it is cut.
        assert!(seen.contains("xxx") && !seen.ends_with("\r\n0\r\n\r\n"));
    }
}
