//! Empty lines in front of a request, which some clients send behind a body (RFC 9112, 2.2).

use std::net::Shutdown;
use std::time::Duration;

use http_types::{Request, Response};
use neap::http::{self, App, Server};
use neap::net::Address;

use crate::http_support::in_memory::{at_once, serve};

const POST: &str = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx";
const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

fn hello() -> impl App + 'static {
    http::from_tide_fn(|mut request: Request| async move {
        request.body_string().await?;
        Ok(Response::from("hello"))
    })
}

fn server(address: Address) -> Server<impl App + 'static> {
    Server::new(hello(), address)
}

#[test]
fn they_are_skipped() {
    serve(at_once(), server, |site| async move {
        let mut client = site.connect().await;
        client.send(format!("\r\n\r\n{GET}{POST}\r\n{GET}\r")).await;
        for _ in 0..3 {
            assert!(client.answer().await.starts_with("HTTP/1.1 200 "));
        }
        site.sleep(100).await;
        client.send(format!("\n\r\n{GET}")).await;
        assert!(client.answer().await.starts_with("HTTP/1.1 200 "));
    });
}

#[test]
fn an_idle_connection_stays_idle() {
    for line in ["\r\n", "\r\n\r"] {
        let (ended, stopped) = serve(at_once(), server, |site| async move {
            let (mut fresh, mut idle) = (site.connect().await, site.connect().await);
            fresh.send(line).await;
            idle.send(format!("{POST}{line}")).await;
            assert!(idle.answer().await.starts_with("HTTP/1.1 200 "));
            // Longer than both graces.
            site.sleep(1500).await;
            site.handle.stop();
            let stopped = site.clock.now();
            for mut client in [fresh, idle] {
                assert_eq!(client.end().await.unwrap(), "");
            }
            stopped
        });
        assert!(ended.result.is_ok(), "{ended:?}");
        assert!(ended.at - stopped < Duration::from_millis(100));
    }
}

#[test]
fn the_end_behind_one_is_no_fault() {
    serve(at_once(), server, |site| async move {
        let mut client = site.connect().await;
        client.send(format!("{POST}\r\n")).await;
        client.stream.shutdown(Shutdown::Write).unwrap();
        assert!(client.answer().await.starts_with("HTTP/1.1 200 "));
        assert_eq!(client.end().await.unwrap(), "");
    });
}

#[test]
fn there_is_an_end_to_them() {
    serve(at_once(), server, |site| async move {
        let mut client = site.connect().await;
        // As many bytes as a head may have, and a head.
        client.send("\r\n".repeat(8 * 1024)).await;
        client.send(GET).await;
        assert!(client.answer().await.starts_with("HTTP/1.1 200 "));
        // They put no deadline off, either.
        let (start, mut at_last) = (site.clock.now(), false);
        while !at_last {
            site.sleep(10_000).await;
            at_last = client.stream.try_write(b"\r\n").is_err();
        }
        let took = (site.clock.now() - start).as_secs();
        assert!((75..100).contains(&took), "{took} s");

        let mut client = site.connect().await;
        client.send("\r\n".repeat(8 * 1024 + 1)).await;
        let refused = client.end().await.unwrap();
        assert!(refused.starts_with("HTTP/1.1 431 "), "{refused}");
        assert!(refused.contains("\r\nconnection: close\r\n"), "{refused}");
    });
}
