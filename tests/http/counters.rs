//! What is counted.

use neap::http::{Counters, Counts, Server, Tally};

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
