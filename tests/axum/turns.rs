//! What handlers hold when a drain that is spread does not come to their turn, by a clock that moves by itself.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use neap::Group;
use neap::http::{self, RequestContext, Server, from_fn};

use crate::http_support::in_memory::{Site, at_once, serve_in};
use crate::runtimes::limited;

const SPREAD: Duration = Duration::from_secs(8);

/// How a server ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Deadline,
    OwnDeadline,
    Cancel,
    CancelInDrain,
}

#[test]
fn g20_each_token_of_a_handler_is_stopped_when_the_server_is_cancelled() {
    for end in [
        End::Deadline,
        End::OwnDeadline,
        End::Cancel,
        End::CancelInDrain,
    ] {
        for spread in [Duration::ZERO, SPREAD] {
            limited(move || {
                let (tokens, sent) = async_channel::unbounded();
                let app = from_fn(move |request: Request<http::Body>| {
                    let context = request.extensions().get::<RequestContext>().unwrap();
                    tokens.try_send(context.stop_token()).unwrap();
                    async { Response::new(Body::empty()) }
                });
                let server = |address| {
                    let server = Server::new(app, address).spread(spread);
                    match end {
                        End::OwnDeadline => server.drain_timeout(SPREAD / 4),
                        _ => server,
                    }
                };
                let story = async |site: Site| {
                    let mut clients = Vec::new();
                    for _ in 0..40 {
                        let mut client = site.connect().await;
                        client
                            .send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n")
                            .await;
                        client.answer().await;
                        clients.push(client);
                    }
                    match end {
                        End::Deadline | End::OwnDeadline => drop(site.handle.stop()),
                        End::Cancel => site.handle.cancel(),
                        End::CancelInDrain => {
                            site.handle.stop();
                            site.sleep(1000).await;
                            site.handle.cancel();
                        }
                    }
                    site.sleep(9000).await;
                };
                let group = Group::new().drain_timeout(SPREAD / 2);
                let _ = serve_in(group, at_once(), server, story);
                let tokens: Vec<_> = std::iter::from_fn(|| sent.try_recv().ok()).collect();
                assert_eq!(tokens.len(), 40);
                let left = tokens.iter().filter(|token| !token.is_stopped()).count();
                assert_eq!(left, 0, "{end:?}, {spread:?}");
            });
        }
    }
}

#[test]
fn upgraded_connections_that_a_drain_does_not_wait_for_do_not_make_it_last() {
    limited(|| {
        let (upgrades, sent) = async_channel::unbounded();
        let app = from_fn(move |request: Request<http::Body>| {
            let context = request.extensions().get::<RequestContext>().unwrap();
            upgrades.try_send(context.upgrade().unwrap()).unwrap();
            let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
            let response = response
                .header("upgrade", "echo")
                .header("connection", "upgrade");
            let response = response.body(Body::empty()).unwrap();
            async { response }
        });
        let server = |address| {
            Server::new(app, address)
                .spread(SPREAD)
                .wait_upgraded(false)
        };
        let story = async |site: Site| {
            let mut both = Vec::new();
            for _ in 0..40 {
                let mut client = site.connect().await;
                client
                    .send(
                        "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n",
                    )
                    .await;
                client.answer().await;
                let upgraded = sent.recv().await.unwrap().await.unwrap();
                both.push((client, upgraded));
            }
            site.handle.stop();
            let stop = site.clock.now();
            for (client, _) in &mut both {
                assert_eq!(client.end().await.unwrap(), "");
            }
            site.clock.now() - stop
        };
        let (ended, took) = serve_in(Group::new(), at_once(), server, story);
        ended.result.unwrap();
        assert!(took < Duration::from_millis(100), "{took:?}");
    });
}
