//! What is counted.

use std::io;
use std::time::Duration;

use futures_lite::future;
use neap::http::{Counters, Counts, Server, Tally};
use neap::test::{Clock, Network};
use neap::{Group, Restart, restart};

use crate::door::app;
use crate::http_support::HandlerGate;
use crate::http_support::in_memory::{Client, Site, at_once, serve};
use crate::runtimes::limited;

/// Sends bytes and reads an answer. Returns the bytes of both.
async fn ask(client: &mut Client, request: &str) -> (u64, u64) {
    client.send(request).await;
    let answer = client.answer().await;
    (request.len() as u64, answer.len() as u64)
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n")
}

/// Reads the counters of a server whose connections are all closed, but for this many.
fn left(counters: &Counters, idle: usize) -> Counts {
    let counts = counters.read();
    let connections = Tally {
        idle,
        ..Tally::default()
    };
    assert_eq!(counts.connections, connections);
    counts
}

#[test]
fn each_connection_answer_and_byte_is_counted_once() {
    limited(|| {
        let counters = Counters::new();
        let server = |address| Server::new(app(), address).counters(&counters);
        let story = async |site: Site| {
            let mut client = site.connect().await;
            site.sleep(1).await;
            assert_eq!(counters.read().connections.fresh, 1);
            let (mut received, mut sent) = (0, 0);
            let post = "POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc";
            let chunked = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nabcde";
            let large = get("/bytes/100000");
            for request in [&get("/hello"), &get("/nothing"), post, &large, chunked] {
                let (there, back) = ask(&mut client, request).await;
                (received, sent) = (received + there, sent + back);
            }
            let counts = left(&counters, 1);
            assert_eq!((counts.received, counts.sent), (received, sent));
            assert_eq!(counts.answers, [(200, 4), (404, 1)]);
            // Refused, and closed.
            let mut other = site.connect().await;
            let (there, back) = ask(&mut other, "GET /\\ HTTP/1.1\r\nhost: a\r\n\r\n").await;
            assert_eq!(other.end().await.unwrap(), "");
            drop(other);
            site.sleep(1).await;
            let counts = left(&counters, 1);
            assert_eq!(
                (counts.received, counts.sent),
                (received + there, sent + back)
            );
            assert_eq!(counts.answers, [(200, 4), (400, 1), (404, 1)]);
            assert_eq!((counts.accepted, counts.cut), (2, 0));
        };
        serve(at_once(), server, story).0.result.unwrap();
        left(&counters, 0);
    });
}

#[test]
fn what_is_cut_is_counted_as_that() {
    limited(|| {
        let (counters, gate) = (Counters::new(), HandlerGate::new());
        let server = |address| Server::new(app(), address).counters(&counters);
        let story = async |site: Site| {
            let (mut gone, mut cut) = (site.connect().await, site.connect().await);
            gone.send(get(&gate.path())).await;
            cut.send(get(&gate.path())).await;
            site.sleep(1).await;
            assert_eq!(counters.read().connections.active, 2);
            drop(gone);
            site.sleep(1).await;
            assert_eq!(counters.read().cut, 1);
            site.handle.cancel();
            cut.answer().await;
        };
        let (ended, ()) = serve(at_once(), server, story);
        ended.result.unwrap_err();
        let counts = left(&counters, 0);
        assert_eq!((counts.cut, counts.answers), (2, vec![]));
    });
}

/// Serves on connections that hold so many bytes each way. Returns what was counted in the end.
fn counts(capacity: usize, story: impl AsyncFnOnce(&Site, &Counters)) -> Counts {
    let counters = Counters::new();
    let server = |address| Server::new(app(), address).counters(&counters);
    let place = (Network::with_capacity(capacity), Clock::new());
    let story = async |site: Site| story(&site, &counters).await;
    let _ = serve(place, server, story);
    left(&counters, 0)
}

#[test]
fn answers_that_were_gathered_count_as_cut_if_they_were_not_written() {
    limited(|| {
        // A half of the first one is written, and one and a half.
        for (capacity, whole) in [(100, 0), (250, 1)] {
            let counts = counts(capacity, async |site, _| {
                let mut client = site.connect().await;
                client.send(get("/hello").repeat(3)).await;
                site.sleep(1).await;
            });
            let answers = vec![(200, whole); usize::from(whole > 0)];
            assert_eq!((counts.answers, counts.cut), (answers, 3 - whole));
        }
    });
}

#[test]
fn answers_that_were_gathered_count_as_cut_if_a_cancel_comes_before_they_are_written() {
    limited(|| {
        let gate = HandlerGate::new();
        let counts = counts(250, async |site, _| {
            let mut client = site.connect().await;
            client
                .send(get("/hello").repeat(2) + &get(&gate.path()))
                .await;
            site.sleep(1).await;
            site.handle.cancel();
            site.sleep(1).await;
        });
        assert_eq!((counts.answers, counts.cut), (vec![(200, 1)], 2));
    });
}

#[test]
fn a_refusal_that_nobody_takes_counts_as_cut() {
    limited(|| {
        let counts = counts(50, async |site, _| {
            let mut client = site.connect().await;
            client.send("GET /\\ HTTP/1.1\r\nhost: a\r\n\r\n").await;
            site.sleep(1).await;
        });
        assert_eq!((counts.answers, counts.cut), (vec![], 1));
    });
}

#[test]
fn a_whole_answer_whose_request_is_still_being_read_is_not_cut_as_well() {
    limited(|| {
        let counts = counts(64 * 1024, async |site, counters| {
            let mut client = site.connect().await;
            let unread = "POST /nothing HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n";
            ask(&mut client, unread).await;
            site.sleep(1).await;
            assert_eq!(counters.read().connections.idle, 1);
            site.handle.cancel();
            client.end().await.unwrap();
        });
        assert_eq!((counts.answers, counts.cut), (vec![(404, 1)], 0));
    });
}

#[test]
fn the_bytes_of_a_cancel_are_counted() {
    limited(|| {
        let (gate, mut both) = (HandlerGate::new(), (0, 0));
        let counts = counts(64 * 1024, async |site, _| {
            let mut client = site.connect().await;
            client.send(get(&gate.path())).await;
            site.sleep(1).await;
            site.handle.cancel();
            both = (
                get(&gate.path()).len() as u64,
                client.end().await.unwrap().len() as u64,
            );
        });
        assert!(both.1 > 0);
        assert_eq!((counts.received, counts.sent), both);
    });
}

#[test]
fn a_server_that_is_restarted_counts_on_and_what_it_had_drains() {
    limited(|| {
        let (network, clock, counters) = (Network::new(), Clock::new(), Counters::new());
        let (here, counted, clock_of_run) = (network.clone(), counters.clone(), clock.clone());
        let run = move |scope| {
            let server = Server::new(app(), here.listen(80)).counters(&counted);
            let serving = server.into_service()(scope);
            let end = clock_of_run.sleep(Duration::from_secs(5));
            future::or(serving, async {
                end.await;
                Err(io::Error::other("enough"))
            })
        };
        let policy = Restart::on_failure().backoff(Duration::ZERO, Duration::ZERO);
        let mut group = Group::new().clock(&clock);
        group.add("http", restart(policy, run));
        let handle = group.handle();
        let site = Site {
            network: network.clone(),
            clock: clock.clone(),
            handle: handle.clone(),
        };
        let story = async {
            handle.started().await.unwrap();
            let mut sent = 0;
            for _ in 0..3 {
                let (mut idle, mut busy) = (site.connect().await, site.connect().await);
                sent += ask(&mut idle, &get("/hello")).await.1;
                busy.send(get("/until-stop")).await;
                site.sleep(5100).await;
                // The next run has begun, and this one's connections end.
                let answer = busy.answer().await;
                assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
                assert_eq!(idle.end().await.unwrap() + &busy.end().await.unwrap(), "");
                sent += answer.len() as u64;
            }
            let idle = site.connect().await;
            site.sleep(3000).await;
            drop(idle);
            handle.stop();
            sent
        };
        let begin = clock.now();
        let (ended, sent) = clock.block_on(future::zip(group.run(), story));
        ended.unwrap();
        let counts = left(&counters, 0);
        assert_eq!(counts.answers, [(200, 6)]);
        assert_eq!((counts.accepted, counts.cut, counts.sent), (7, 0, sent));
        assert!(clock.now() - begin < Duration::from_secs(19));
    });
}
