//! Answers that the session has, and the socket has not taken.

use std::sync::Arc;
use std::time::Duration;

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use futures_rustls::TlsConnector;
use futures_rustls::client::TlsStream;
use futures_rustls::rustls::pki_types::ServerName;
use neap::Group;
use neap::http::{self, Server};
use neap::net::{Certificates, Stream};
use neap::test::{Clock, Network};

use crate::client::trusting;
use crate::limit::limited;
use crate::pems::Pems;

const SECOND: Duration = Duration::from_secs(1);
/// How many bytes are on their way at once, and how many an answer has: fewer than a session keeps.
const CAPACITY: usize = 4000;
const ANSWER: usize = 20_000;

type Client = TlsStream<Stream>;

/// Runs a story beside a server whose answers are larger than what is on its way at once. Returns how long the server
/// has run.
fn beside(story: impl AsyncFn(&mut Client, &Clock, &neap::Handle<'static>)) -> Duration {
    let (network, clock) = (Network::with_capacity(CAPACITY), Clock::new());
    let Pems { chain, key } = Pems::usual();
    let certificates = Certificates::from_pem(chain, key).unwrap();
    let large = async || vec![b'x'; ANSWER];
    let app = axum::Router::new().route("/", axum::routing::get(large));
    let server = Server::new(http::service(app), network.listen(80)).tls(certificates);
    let mut group = Group::new().clock(&clock).drain_timeout(60 * SECOND);
    group.add("http", server.into_service());
    let handle = group.handle();
    let story = async {
        let stream = network.connect(80).await.unwrap();
        let connector = TlsConnector::from(Arc::new(trusting(&[chain])));
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = connector.connect(name, stream).await.unwrap();
        story(&mut client, &clock, &handle).await;
        handle.stop();
    };
    let start = clock.now();
    let run = async { (group.run().await, clock.now() - start) };
    let both = limited(&clock, future::zip(run, story));
    let (ended, took) = clock.block_on(both).0;
    ended.unwrap();
    assert_eq!(network.open_ends(), 0);
    took
}

async fn ask(client: &mut Client) {
    let request = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    client.write_all(request).await.unwrap();
    client.flush().await.unwrap();
}

/// Reads an answer, and returns its head.
async fn answer(client: &mut Client) -> String {
    let mut read = Vec::new();
    loop {
        let mut bytes = [0; 1000];
        let count = client.read(&mut bytes).await.unwrap();
        assert_ne!(count, 0, "an end behind {} bytes", read.len());
        read.extend(&bytes[..count]);
        let text = std::str::from_utf8(&read).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        if body.len() == ANSWER {
            return head.to_owned();
        }
    }
}

#[test]
fn the_grace_of_an_idle_connection_begins_when_its_answer_was_taken() {
    beside(async |client, clock, handle| {
        ask(client).await;
        clock.sleep(5 * SECOND).await;
        handle.stop();
        clock.sleep(5 * SECOND).await;
        let first = answer(client).await;
        assert!(!first.contains("connection: close"), "{first}");
        clock.sleep(SECOND / 2).await;
        ask(client).await;
        let second = answer(client).await;
        assert!(second.contains("connection: close"), "{second}");
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
    });
}

#[test]
fn a_client_that_takes_nothing_holds_a_drain_until_its_answer_is_given_up() {
    let took = beside(async |client, clock, handle| {
        ask(client).await;
        clock.sleep(SECOND).await;
        handle.stop();
        clock.sleep(40 * SECOND).await;
        let mut rest = Vec::new();
        let cut = client.read_to_end(&mut rest).await;
        assert!(cut.is_err() && rest.len() < ANSWER, "{cut:?}");
    });
    // As long as a byte may take.
    assert_eq!(took, 30 * SECOND);
}
