//! Records that have come in part, when a request is waited for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use futures_rustls::TlsConnector;
use futures_rustls::rustls::pki_types::ServerName;
use futures_rustls::rustls::{ClientConfig, ClientConnection, version};
use neap::http::{self, Server};
use neap::net::{self, Certificates, Stream};
use neap::test::{Clock, Network};
use neap::{Group, Handle, StopToken};

use crate::client::{trusting, trusting_in};
use crate::limit::limited;
use crate::pems::Pems;

const SECOND: Duration = Duration::from_secs(1);
const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// What a story has to do with. The idle grace is 1 s, a head has 5 s in the drain and 30 s else.
struct Site {
    network: Network,
    clock: Clock,
    handle: Handle<'static>,
    start: Instant,
}

/// Runs a story beside a server of `http`.
fn beside(story: impl AsyncFn(&Site)) {
    let app = axum::Router::new().route("/", axum::routing::get("hello"));
    let (network, clock) = (Network::new(), Clock::new());
    let server = Server::new(http::service(app), network.listen(80)).tls(certificates());
    let mut group = Group::new().clock(&clock).drain_timeout(60 * SECOND);
    group.add("http", server.into_service());
    run(group, network, clock, story);
}

fn certificates() -> Certificates {
    let Pems { chain, key } = Pems::usual();
    Certificates::from_pem(chain, key).unwrap()
}

fn run(group: Group<'static>, network: Network, clock: Clock, story: impl AsyncFn(&Site)) {
    let site = Site {
        handle: group.handle(),
        start: clock.now(),
        network,
        clock,
    };
    let story = async {
        story(&site).await;
        site.handle.stop();
    };
    let both = limited(&site.clock, future::zip(group.run(), story));
    site.clock.block_on(both).0.unwrap();
    assert_eq!(site.network.open_ends(), 0);
}

impl Site {
    /// Returns a client whose handshake is over.
    async fn connect(&self) -> Client {
        self.connect_with(trusting(&[&Pems::usual().chain])).await
    }

    async fn connect_with(&self, config: ClientConfig) -> Client {
        let stream = self.network.connect(80).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let (stream, session) = connector.connect(name, stream).await.unwrap().into_inner();
        Client { stream, session }
    }

    /// Returns one that has been answered, and is idle for longer than its grace.
    async fn idle(&self) -> Client {
        let mut client = self.connect().await;
        let request = client.record(GET);
        client.send(&request).await;
        client.answer().await;
        self.clock.sleep(10 * SECOND).await;
        client
    }

    /// Returns how long the story has lasted, in seconds.
    fn elapsed(&self) -> f64 {
        (self.clock.now() - self.start).as_secs_f64()
    }
}

/// A client that has its records in its hand.
struct Client {
    stream: Stream,
    session: ClientConnection,
}

impl Client {
    /// Returns what the session has to send.
    fn outgoing(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.session.wants_write() {
            self.session.write_tls(&mut bytes).unwrap();
        }
        bytes
    }

    /// Returns bytes as a record.
    fn record(&mut self, bytes: &[u8]) -> Vec<u8> {
        std::io::Write::write_all(&mut self.session.writer(), bytes).unwrap();
        self.outgoing()
    }

    /// Returns a change of keys.
    fn key_update(&mut self) -> Vec<u8> {
        self.session.refresh_traffic_keys().unwrap();
        self.outgoing()
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Reads an answer without a body of its own connection.
    async fn answer(&mut self) -> String {
        self.read(|text| text.ends_with("hello")).await
    }

    /// Reads to the end, which is told.
    async fn rest(&mut self) -> String {
        self.read(|_| false).await
    }

    async fn read(&mut self, is_all: impl Fn(&str) -> bool) -> String {
        let (mut text, mut bytes) = (String::new(), [0; 4096]);
        loop {
            let count = self.stream.read(&mut bytes).await.unwrap();
            let mut come = &bytes[..count];
            while !come.is_empty() {
                self.session.read_tls(&mut come).unwrap();
                let state = self.session.process_new_packets().unwrap();
                let mut plain = vec![0; state.plaintext_bytes_to_read()];
                std::io::Read::read_exact(&mut self.session.reader(), &mut plain).unwrap();
                text.push_str(std::str::from_utf8(&plain).unwrap());
                if state.peer_has_closed() || is_all(&text) {
                    return text;
                }
            }
            assert_ne!(count, 0, "no good-bye behind {text}");
        }
    }
}

#[test]
fn the_first_byte_of_a_record_begins_a_head_however_it_is_cut_at_the_stop() {
    beside(async |site| {
        let mut cuts = Vec::new();
        for _ in 0..4 {
            let mut client = site.idle().await;
            let request = client.record(GET);
            cuts.push((client, request));
        }
        // One whose first request it would be.
        let mut fresh = site.connect().await;
        let request = fresh.record(GET);
        cuts.push((fresh, request));
        site.clock.sleep(5 * SECOND).await;
        let ends = [1, 4, 5, 20, 3];
        for ((client, request), end) in cuts.iter_mut().zip(ends) {
            client.send(&request[..end]).await;
        }
        site.handle.stop();
        site.clock.sleep(3 * SECOND).await;
        for ((mut client, request), end) in cuts.into_iter().zip(ends) {
            client.send(&request[end..]).await;
            let answer = client.rest().await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{end}: {answer}");
            assert!(answer.contains("connection: close"), "{end}: {answer}");
        }
    });
}

#[test]
fn a_record_that_is_never_whole_has_the_time_of_a_head() {
    // In the drain, from its begin on.
    beside(async |site| {
        let mut client = site.idle().await;
        let request = client.record(GET);
        client.send(&request[..request.len() - 1]).await;
        site.handle.stop();
        assert!(client.rest().await.starts_with("HTTP/1.1 408 "));
        assert_eq!(site.elapsed(), 15.0);
    });
    // And otherwise, though the connection could have been idle for longer.
    beside(async |site| {
        let mut client = site.idle().await;
        let request = client.record(GET);
        client.send(&request[..10]).await;
        site.clock.sleep(20 * SECOND).await;
        client.send(&request[10..20]).await;
        assert!(client.rest().await.starts_with("HTTP/1.1 408 "));
        assert_eq!(site.elapsed(), 40.0);
    });
}

#[test]
fn a_record_and_its_head_have_the_time_of_one() {
    beside(async |site| {
        let mut client = site.idle().await;
        let half = client.record(&GET[..10]);
        client.send(&half[..10]).await;
        site.clock.sleep(20 * SECOND).await;
        client.send(&half[10..]).await;
        assert!(client.rest().await.starts_with("HTTP/1.1 408 "));
        assert_eq!(site.elapsed(), 40.0);
    });
}

#[test]
fn a_change_of_keys_in_part_is_waited_for_and_begins_no_request() {
    beside(async |site| {
        let mut client = site.idle().await;
        let update = client.key_update();
        client.send(&update[..7]).await;
        site.handle.stop();
        site.clock.sleep(2 * SECOND).await;
        client.send(&update[7..]).await;
        // The grace of an idle connection is over.
        assert_eq!(client.rest().await, "");
        assert_eq!(site.elapsed(), 12.0);
    });
    // Without a stop it goes on as what it was.
    beside(async |site| {
        let mut client = site.idle().await;
        let update = client.key_update();
        client.send(&update[..7]).await;
        site.clock.sleep(20 * SECOND).await;
        client.send(&update[7..]).await;
        site.clock.sleep(20 * SECOND).await;
        let request = client.record(GET);
        client.send(&request).await;
        client.answer().await;
        // Until its time is over.
        let update = client.key_update();
        client.send(&update).await;
        assert_eq!(client.rest().await, "");
        assert_eq!(site.elapsed(), 50.0 + 75.0);
    });
}

#[test]
fn records_with_nothing_in_them_hold_a_drain_for_no_longer_than_a_head_may() {
    beside(async |site| {
        let mut client = site.idle().await;
        let updates: Vec<_> = (0..30).map(|_| client.key_update()).collect();
        // Each is cut, and its rest comes with the first bytes of the next.
        let bytes = updates.concat();
        let step = updates[0].len();
        client.send(&bytes[..1]).await;
        site.handle.stop();
        let sends = async {
            let (mut stream, mut rest) = (&client.stream, &bytes[1..]);
            while rest.len() > step && stream.write_all(&rest[..step]).await.is_ok() {
                rest = &rest[step..];
                site.clock.sleep(SECOND / 2).await;
            }
        };
        let ends = async {
            let mut read = Vec::new();
            let _ = (&client.stream).read_to_end(&mut read).await;
            site.elapsed()
        };
        assert_eq!(future::zip(ends, sends).await.0, 15.0);
    });
}

#[test]
fn a_good_bye_in_part_is_no_request() {
    for versions in [&[&version::TLS13][..], &[&version::TLS12]] {
        let config = || trusting_in(versions, &[&Pems::usual().chain]);
        beside(async |site| {
            let mut client = site.connect_with(config()).await;
            client.session.send_close_notify();
            let good_bye = client.outgoing();
            client.send(&good_bye[..good_bye.len() - 1]).await;
            site.clock.sleep(SECOND / 2).await;
            client.send(&good_bye[good_bye.len() - 1..]).await;
            assert_eq!(client.rest().await, "");
            assert_eq!(site.elapsed(), 0.5);
        });
        // Nor does it hold up a drain, but in TLS 1.3, where it looks like any other record.
        beside(async |site| {
            let mut client = site.connect_with(config()).await;
            client.session.send_close_notify();
            let good_bye = client.outgoing();
            site.clock.sleep(5 * SECOND).await;
            client.send(&good_bye[..6]).await;
            site.handle.stop();
            let is_hidden = versions[0] == &version::TLS13;
            let answer = client.rest().await;
            assert_eq!(answer.starts_with("HTTP/1.1 408 "), is_hidden, "{answer}");
            assert_eq!(site.elapsed(), if is_hidden { 10.0 } else { 5.0 });
        });
    }
}

/// Waits for the stop, and then for a peer that has begun to say something.
async fn last_look(mut stream: Stream, token: StopToken) -> std::io::Result<()> {
    token.stopped().await;
    let mut word = [0; 5];
    let error = stream.try_read(&mut word).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    if stream.is_amid_record() {
        stream.read_exact(&mut word).await?;
        assert!(!stream.is_amid_record());
    }
    stream.write_all(&word).await
}

#[test]
fn a_handler_of_net_sees_that_a_record_has_come_in_part() {
    let (network, clock) = (Network::new(), Clock::new());
    let server = net::Server::new(network.listen(80), last_look).tls(certificates());
    let mut group = Group::new().clock(&clock).drain_timeout(60 * SECOND);
    group.add("net", server.into_service());
    run(group, network, clock, async |site| {
        let (mut silent, mut begun) = (site.connect().await, site.connect().await);
        site.clock.sleep(SECOND).await;
        let word = begun.record(b"hello");
        begun.send(&word[..1]).await;
        site.handle.stop();
        site.clock.sleep(SECOND).await;
        begun.send(&word[1..]).await;
        assert_eq!(begun.rest().await, "hello");
        assert_eq!(silent.rest().await, "\0\0\0\0\0");
    });
}
