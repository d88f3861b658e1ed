//! Who is not trusted, and what is no header.

use std::io::ErrorKind;
use std::sync::{Mutex, Once};

use log::{LevelFilter, Log, Metadata, Record};
use neap::http;
use neap::net::{Address, ProxyProtocol};

use crate::in_memory::{at_once, serve};
use crate::{GET, LOCAL, PEER, V1, V2, proxies, who};

/// Returns all that a client reads that sends this at once, or the kind of its error.
fn answer(proxies: &ProxyProtocol, bytes: &[u8]) -> Result<String, ErrorKind> {
    let server = |address: Address| who(address).proxy_protocol(proxies);
    let (ended, answer) = serve(at_once(), server, async |site| {
        let mut client = site.connect().await;
        client.send(bytes).await;
        client.end().await.map_err(|error| error.kind())
    });
    ended.result.unwrap();
    answer
}

const RESET: Result<String, ErrorKind> = Err(ErrorKind::ConnectionReset);

#[test]
fn a_connection_of_a_peer_that_is_not_named_is_closed() {
    let others = proxies("10.0.0.3");
    for bytes in [GET, &[V1, GET].concat(), b""] {
        assert_eq!(answer(&others, bytes), RESET);
    }
    assert_eq!(others.refused(), 3);
}

#[test]
fn a_peer_that_is_not_named_is_served_as_it_is_and_cannot_name_itself() {
    let others = proxies("10.0.0.3").serve_others(true);
    let answered = answer(&others, GET).unwrap();
    assert!(answered.contains("\r\n\r\n10.0.0.2:"), "{answered}");
    assert!(answered.ends_with(" at 10.0.0.1:80"), "{answered}");
    for header in [V1, V2] {
        let answered = answer(&others, &[header, GET].concat()).unwrap();
        assert!(answered.starts_with("HTTP/1.1 400 "), "{answered}");
        assert!(!answered.contains("192.0.2.1"), "{answered}");
    }
    assert_eq!(others.refused(), 0);
}

#[test]
fn a_proxy_without_a_header_is_not_served() {
    // Whether there is one is not guessed.
    let named = proxies(PEER).serve_others(true);
    assert_eq!(answer(&named, GET), RESET);
    assert_eq!(answer(&named, &[V1, V2, GET].concat()).unwrap(), bad(V2));
    assert_eq!(answer(&named, &[V2, V1, GET].concat()).unwrap(), bad(V1));
    assert_eq!(named.refused(), 1);
}

/// Returns the answer to this second header, which is a bad request.
fn bad(header: &[u8]) -> String {
    let direct = proxies("10.0.0.3").serve_others(true);
    let answered = answer(&direct, header).unwrap();
    assert!(answered.starts_with("HTTP/1.1 400 "), "{answered}");
    answered
}

#[test]
fn what_is_no_header_is_never_served() {
    let named = proxies(PEER);
    let mut random = fastrand::Rng::with_seed(3);
    let mut tried = 0;
    for round in 0..300 {
        let mut header: Vec<u8> = match round % 3 {
            0 => (0..random.usize(1..80)).map(|_| random.u8(..)).collect(),
            1 => V1.to_vec(),
            _ => V2.to_vec(),
        };
        if round % 3 > 0 {
            // Within what both check: not an address, and not the type of what is dropped.
            let at = random.usize(..10);
            header[at] ^= random.u8(1..);
        }
        tried += 1;
        assert_eq!(answer(&named, &[&header, GET, GET].concat()), RESET);
    }
    assert_eq!(named.refused(), tried);
}

#[test]
fn a_peer_that_sends_nothing_and_closes_is_not_counted() {
    let named = proxies(PEER);
    let server = |address: Address| who(address).proxy_protocol(&named);
    let (ended, ()) = serve(at_once(), server, async |site| {
        // As a check that only connects, by a close and by a reset.
        drop(site.connect().await);
        let client = site.connect().await;
        client.stream.reset_on_close().unwrap();
        drop(client);
        site.sleep(10).await;
        assert_eq!(named.refused(), 0);
        let mut client = site.connect().await;
        client.send(&V1[..20]).await;
        drop(client);
        site.sleep(10).await;
    });
    ended.result.unwrap();
    assert_eq!(named.refused(), 1);
}

static RECORDS: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let text = record.args().to_string();
        if text.starts_with("`logged`") {
            let times = record.key_values().get("times".into()).unwrap();
            RECORDS.lock().unwrap().push(format!("{times}: {text}"));
        }
    }

    fn flush(&self) {}
}

#[test]
fn refusals_are_logged_seldom() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Logger).unwrap();
        log::set_max_level(LevelFilter::Warn);
    });
    let named = proxies(PEER);
    let (network, clock) = at_once();
    let mut group = neap::Group::new().clock(&clock);
    let server = who(network.listen(80)).proxy_protocol(&named);
    group.add("logged", server.into_service());
    let handle = group.handle();
    let story = async {
        for _ in 0..5 {
            use futures_lite::AsyncWriteExt;
            let mut stream = network.connect(80).await.unwrap();
            stream.write_all(GET).await.unwrap();
            clock.sleep(std::time::Duration::from_secs(4)).await;
        }
        handle.stop();
    };
    let (ended, ()) = clock.block_on(futures_lite::future::zip(group.run(), story));
    ended.unwrap();
    assert_eq!(named.refused(), 5);
    let records = RECORDS.lock().unwrap();
    let ports = records.iter().map(|record| {
        let (_, rest) = record.split_once("10.0.0.2:").unwrap();
        rest.split_once(':').unwrap().0
    });
    let ports: Vec<_> = ports.collect();
    let expected = [1, 3].iter().zip(&ports).map(|(times, port)| {
        format!(
            "{times}: `logged` has closed a connection from 10.0.0.2:{port}: it is no PROXY header"
        )
    });
    assert_eq!(*records, expected.collect::<Vec<_>>());
}

#[test]
fn peers_that_are_none_are_named() {
    let error = |peers: &[&str]| ProxyProtocol::from_peers(peers).unwrap_err();
    for (peers, why) in [
        (
            &["10.0.0.0/8", "10.0.0.0/40"][..],
            "`10.0.0.0/40` is no peer: the prefix is `40`, not 0 to 32",
        ),
        (&["unix"], "`unix` is no peer: `unix` is no IP address"),
        (
            &[],
            "no peer is named that a PROXY header is to come from: nobody could be served",
        ),
    ] {
        assert_eq!(error(peers).to_string(), why);
        assert_eq!(error(peers).kind(), ErrorKind::InvalidInput);
    }
}

/// A server that is bound and never runs answers those that have a request behind their header.
#[test]
fn a_server_that_never_runs_answers_a_request_and_not_a_header() {
    let answer = |proxies: &ProxyProtocol, bytes: &[u8]| {
        use std::io::{Read, Write};
        let server = who("127.0.0.1:0".into())
            .proxy_protocol(proxies)
            .bind()
            .unwrap();
        let addr = server.local_addrs()[0].tcp().unwrap();
        let mut client = std::net::TcpStream::connect(addr).unwrap();
        client.write_all(bytes).unwrap();
        // What was written is in the server's socket: loopback has no delay.
        drop(server);
        let mut answer = String::new();
        client.read_to_string(&mut answer).map(|_| answer).ok()
    };
    let named = proxies("127.0.0.1");
    for header in [V1, V2, LOCAL] {
        let answered = answer(&named, &[header, GET].concat()).unwrap();
        assert!(answered.starts_with("HTTP/1.1 503 "), "{answered}");
        assert_eq!(answer(&named, header).unwrap_or_default(), "");
        assert_eq!(answer(&named, &header[..10]).unwrap_or_default(), "");
    }
    assert_eq!(answer(&named, GET).unwrap_or_default(), "");
    assert_eq!(answer(&proxies("10.0.0.0/8"), GET).unwrap_or_default(), "");
    let served = proxies("10.0.0.0/8").serve_others(true);
    assert!(answer(&served, GET).unwrap().starts_with("HTTP/1.1 503 "));
}

/// Both kinds of servers take the same settings by value and by reference.
#[test]
fn a_clone_counts_with_its_original() {
    let named = proxies(PEER);
    let clone = named.clone();
    assert_eq!(answer(&clone, GET), RESET);
    assert_eq!((named.refused(), clone.refused()), (1, 1));
    let _ =
        http::Server::new(http::service(axum::Router::new()), "127.0.0.1:0").proxy_protocol(named);
}

#[test]
fn the_time_of_a_header_is_in_the_table_of_limits_with_its_default() {
    let shown = format!("{:?}", proxies(PEER));
    assert!(shown.contains("header_timeout: 5s"), "{shown}");
    let security = include_str!("../../SECURITY.md");
    assert!(security.contains("| `header_timeout` | 5 s |"));
}
