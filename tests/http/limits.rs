//! What a connection, a handler and all of them may take, by a clock that moves by itself.

use std::io::ErrorKind;
use std::time::Duration;

use neap::http::Server;

use crate::door::app;
use crate::http_support::HandlerGate;
use crate::http_support::in_memory::{Client, Site, at_once, serve};
use crate::runtimes::limited;

const GET: &str = "GET /hello HTTP/1.1\r\nhost: a\r\n\r\n";

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n")
}

fn closes(answer: &str) -> bool {
    answer.contains("\r\nconnection: close\r\n")
}

/// Sends a request, and returns its answer.
async fn ask(client: &mut Client, request: impl AsRef<[u8]>) -> String {
    client.send(request).await;
    client.answer().await
}

#[test]
fn the_last_request_of_a_connection_is_answered_with_close() {
    limited(|| {
        let server = |address| Server::new(app(), address).max_requests(2);
        let story = async |site: Site| {
            let mut client = site.connect().await;
            assert!(!closes(&ask(&mut client, GET).await));
            // The third one is not answered.
            client.send([GET, GET].concat()).await;
            let last = client.answer().await;
            assert!(last.starts_with("HTTP/1.1 200 ") && closes(&last), "{last}");
            assert_eq!(client.end().await.unwrap(), "");
            assert!(!closes(&ask(&mut site.connect().await, GET).await));
        };
        serve(at_once(), server, story).0.result.unwrap();
    });
}

#[test]
fn an_old_connection_closes_with_its_next_answer() {
    limited(|| {
        let age = Duration::from_secs(10);
        let server = |address| Server::new(app(), address).max_connection_age(age);
        let story = async |site: Site| {
            let mut clients = Vec::new();
            for _ in 0..40 {
                clients.push(site.connect().await);
            }
            site.sleep(8990).await;
            for client in &mut clients {
                assert!(!closes(&ask(client, GET).await));
            }
            // Those that came together do not leave together.
            site.sleep(1010).await;
            let mut left = 0;
            for client in &mut clients[..30] {
                left += usize::from(closes(&ask(client, GET).await));
            }
            assert!((1..30).contains(&left), "{left}");
            // One that is idle is not closed for its age.
            site.sleep(60_000).await;
            for client in &mut clients[30..] {
                let last = ask(client, GET).await;
                assert!(last.starts_with("HTTP/1.1 200 ") && closes(&last), "{last}");
                assert_eq!(client.end().await.unwrap(), "");
            }
        };
        serve(at_once(), server, story).0.result.unwrap();
    });
}

#[test]
fn what_is_beyond_the_limit_in_flight_is_turned_away_and_may_come_again() {
    limited(|| {
        let gate = HandlerGate::new();
        let server = |address| Server::new(app(), address).max_in_flight(1);
        let story = async |site: Site| {
            let (mut first, mut second) = (site.connect().await, site.connect().await);
            first.send(get(&gate.path())).await;
            site.sleep(1).await;
            let post = "POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc";
            let head = GET.replace("GET", "HEAD");
            for request in [GET, post, &head, GET] {
                let away = ask(&mut second, request).await.to_lowercase();
                assert!(away.starts_with("http/1.1 503 "), "{away}");
                assert!(away.contains("\r\nretry-after: 1\r\n"), "{away}");
                assert!(!closes(&away), "{away}");
            }
            // A body that the client waits to be asked for is not asked for.
            let expects = post.replace("\r\n\r\nabc", "\r\nexpect: 100-continue\r\n\r\n");
            let away = ask(&mut site.connect().await, expects).await;
            assert!(away.starts_with("HTTP/1.1 503 ") && closes(&away), "{away}");
            gate.open();
            let answer = first.answer().await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            for request in [GET, post, GET] {
                let answer = ask(&mut second, request).await;
                assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            }
        };
        serve(at_once(), server, story).0.result.unwrap();
    });
}

#[test]
fn one_whose_client_is_gone_is_in_flight_no_more() {
    limited(|| {
        let gate = HandlerGate::new();
        let server = |address| Server::new(app(), address).max_in_flight(1);
        let story = async |site: Site| {
            let mut gone = site.connect().await;
            gone.send(get(&gate.path())).await;
            site.sleep(1).await;
            drop(gone);
            site.sleep(1).await;
            let answer = ask(&mut site.connect().await, GET).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        };
        serve(at_once(), server, story).0.result.unwrap();
    });
}

#[test]
fn a_handler_without_time_left_is_dropped_and_answered_for() {
    limited(|| {
        let gate = HandlerGate::new();
        let limit = Duration::from_secs(3);
        let server = |address| Server::new(app(), address).handler_timeout(limit);
        let story = async |site: Site| {
            let mut client = site.connect().await;
            for _ in 0..2 {
                let start = site.clock.now();
                let late = ask(&mut client, get(&gate.path())).await.to_lowercase();
                assert!(late.starts_with("http/1.1 503 "), "{late}");
                assert!(late.contains("\r\nretry-after: 1\r\n"), "{late}");
                assert!(!closes(&late), "{late}");
                assert_eq!(site.clock.now() - start, limit);
                assert!(!closes(&ask(&mut client, GET).await));
            }
            // It waits for a body, of which a part comes now and then.
            let start = site.clock.now();
            client
                .send("POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc")
                .await;
            site.sleep(2000).await;
            let late = ask(&mut client, "abc").await;
            assert!(late.starts_with("HTTP/1.1 503 "), "{late}");
            assert_eq!(site.clock.now() - start, limit);
        };
        serve(at_once(), server, story).0.result.unwrap();
    });
}

#[test]
fn answers_ahead_of_a_handler_without_time_left_come_first() {
    limited(|| {
        let gate = HandlerGate::new();
        let limit = Duration::from_secs(3);
        let server = |address| Server::new(app(), address).handler_timeout(limit);
        let story = async |site: Site| {
            let mut client = site.connect().await;
            client.send([GET, &get(&gate.path()), GET].concat()).await;
            for status in [200, 503, 200] {
                let answer = client.answer().await;
                assert!(
                    answer.starts_with(&format!("HTTP/1.1 {status} ")),
                    "{answer}"
                );
            }
        };
        serve(at_once(), server, story).0.result.unwrap();
    });
}

#[test]
fn a_limit_of_zero_is_an_error_that_says_which() {
    let server = || Server::new(app(), "127.0.0.1:0");
    for (server, words) in [
        (server().max_requests(0), "requests of a connection"),
        (server().max_in_flight(0), "requests in flight"),
    ] {
        let error = server.bind().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(words), "{error}");
    }
}
