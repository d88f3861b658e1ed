//! A drain that is spread, by a clock that moves by itself.

use std::time::Duration;

use futures_lite::future::poll_once;
use neap::Group;
use neap::http::Server;

use crate::door::app;
use crate::http_support::in_memory::{Client, Site, at_once, serve_in};
use crate::runtimes::limited;

const SPREAD: Duration = Duration::from_secs(8);

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n")
}

/// Connects this many clients, which send a request each; one that is answered is idle then.
async fn clients(site: &Site, count: usize, path: &str) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..count {
        let mut client = site.connect().await;
        client.send(get(path)).await;
        clients.push(client);
    }
    site.sleep(1).await;
    clients
}

/// Returns how many of these have an end, or an answer, and leaves the others.
async fn ended(clients: &mut Vec<Client>) -> usize {
    let before = clients.len();
    for mut client in std::mem::take(clients) {
        match poll_once(client.read(4096)).await {
            None => clients.push(client),
            Some(read) => drop(read.unwrap()),
        }
    }
    before - clients.len()
}

/// Returns how long the server has lasted after the story.
fn run(story: impl AsyncFnOnce(&Site)) -> Duration {
    let group = Group::new().drain_timeout(Duration::from_secs(20));
    let server = |address| {
        let server = Server::new(app(), address).spread(SPREAD);
        server.idle_grace(Duration::ZERO).linger(Duration::ZERO)
    };
    let (ended, over) = serve_in(group, at_once(), server, async |site: Site| {
        story(&site).await;
        site.clock.now()
    });
    ended.result.unwrap();
    ended.at - over
}

#[test]
fn idle_connections_and_handlers_end_one_after_the_other() {
    limited(|| {
        run(async |site: &Site| {
            let mut idle = clients(site, 64, "/hello").await;
            for client in &mut idle {
                client.answer().await;
            }
            let mut waiting = clients(site, 64, "/until-stop").await;
            site.handle.stop();
            let mut each = Vec::new();
            for _ in 0..8 {
                site.sleep(1000).await;
                each.push((ended(&mut idle).await, ended(&mut waiting).await));
            }
            assert!(idle.is_empty() && waiting.is_empty(), "{each:?}");
            // Eight a second, and at the edges one turn more or less.
            let even = |n: &usize| (6..=10).contains(n);
            assert!(each.iter().all(|(i, w)| even(i) && even(w)), "{each:?}");
        });
    });
}

#[test]
fn one_whose_turn_has_not_come_is_served_and_closes() {
    limited(|| {
        let lasted = run(async |site: &Site| {
            let mut idle = clients(site, 32, "/hello").await;
            for client in &mut idle {
                client.answer().await;
            }
            site.handle.stop();
            site.sleep(6100).await;
            assert!(ended(&mut idle).await > 20);
            for client in &mut idle {
                client.send(get("/hello")).await;
                let last = client.answer().await;
                assert!(last.starts_with("HTTP/1.1 200 "), "{last}");
                assert!(last.contains("\r\nconnection: close\r\n"), "{last}");
            }
        });
        // It does not wait for turns that nobody has.
        assert!(lasted < Duration::from_millis(100), "{lasted:?}");
    });
}
