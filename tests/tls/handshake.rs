//! The handshake: its limits, in a drain too, and clients that come without one.

use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use axum::routing::get;
use axum::{Extension, Router};
use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use futures_rustls::TlsConnector;
use futures_rustls::client::TlsStream;
use futures_rustls::rustls::ClientConnection;
use futures_rustls::rustls::pki_types::ServerName;
use log::{LevelFilter, Log, Metadata, Record};
use neap::http::{self, RequestContext, Server};
use neap::net::{self, Address, Certificates, Stream, TlsConfig};
use neap::test::{Clock, Network};
use neap::{Group, Handle};

use crate::client::trusting;
use crate::limit::limited;
use crate::pems::Pems;

const SECOND: Duration = Duration::from_secs(1);
const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

fn tls() -> TlsConfig {
    let Pems { chain, key } = Pems::usual();
    TlsConfig::new(&Certificates::from_pem(chain, key).unwrap())
}

/// What a test has to do with.
struct Site {
    network: Network,
    clock: Clock,
    handle: Handle<'static>,
    /// When the story has begun.
    start: Instant,
}

/// Which server is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Net,
    Http,
}

/// Runs a story beside a server of either kind, that says whom the client has asked for. Returns how long the
/// group went on after the stop, which comes at the end of the story, if not before.
fn beside_both(tls: &TlsConfig, story: impl AsyncFn(&Site, Kind)) -> [Duration; 2] {
    beside_both_on(Network::new, tls, story)
}

/// Does that on such a network.
fn beside_both_on(
    network: impl Fn() -> Network,
    tls: &TlsConfig,
    story: impl AsyncFn(&Site, Kind),
) -> [Duration; 2] {
    [Kind::Net, Kind::Http].map(|kind| {
        let (network, clock) = (network(), Clock::new());
        let mut group = Group::new().clock(&clock);
        let address = network.listen(80);
        match kind {
            Kind::Net => group.add("net", net_server(address).tls(tls.clone()).into_service()),
            Kind::Http => group.add("http", http_server(address).tls(tls.clone()).into_service()),
        };
        let (handle, start) = (group.handle(), clock.now());
        let site = Site {
            network: network.clone(),
            clock: clock.clone(),
            handle,
            start,
        };
        let story = async {
            site.handle.started().await.unwrap();
            story(&site, kind).await;
            site.handle.stop();
        };
        let stopped = async {
            site.handle.token().stopped().await;
            clock.now()
        };
        let group = async { (group.run().await, clock.now()) };
        let ((ended, ended_at), (stopped_at, ())) = clock.block_on(limited(
            &clock,
            future::zip(group, future::zip(stopped, story)),
        ));
        ended.unwrap();
        assert_eq!(network.open_ends(), 0);
        ended_at - stopped_at
    })
}

fn net_server(address: Address) -> net::Server<impl AsyncServe> {
    net::Server::new(address, answer).max_connections(1)
}

/// Written as a function of its own, so that its type has a name.
trait AsyncServe:
    Fn(Stream, neap::StopToken) -> future::Boxed<std::io::Result<()>> + Send + Sync + 'static
{
}
impl<F> AsyncServe for F where
    F: Fn(Stream, neap::StopToken) -> future::Boxed<std::io::Result<()>> + Send + Sync + 'static
{
}

fn answer(mut stream: Stream, _: neap::StopToken) -> future::Boxed<std::io::Result<()>> {
    Box::pin(async move {
        let mut request = [0; GET.len()];
        stream.read_exact(&mut request).await?;
        let words = in_words(stream.tls());
        stream.write_all(words.as_bytes()).await
    })
}

fn http_server(address: Address) -> Server<impl http::App> {
    let app = Router::new().route(
        "/",
        get(async |Extension(context): Extension<RequestContext>| {
            assert_eq!(context.scheme(), "https");
            in_words(context.tls())
        }),
    );
    Server::new(http::service(app), address).max_connections(1)
}

fn in_words(tls: Option<&net::TlsInfo>) -> String {
    let tls = tls.expect("TLS");
    let alpn = tls.alpn().map(String::from_utf8_lossy);
    format!(
        "for {:?} by {:?} {} {}",
        tls.server_name(),
        alpn,
        tls.version(),
        tls.cipher_suite()
    )
}

impl Site {
    async fn connect(&self) -> Stream {
        self.network.connect(80).await.unwrap()
    }

    /// Returns how long the story has lasted.
    fn elapsed(&self) -> Duration {
        self.clock.now() - self.start
    }
}

async fn shake_hands(stream: Stream, alpn: &[&str]) -> std::io::Result<TlsStream<Stream>> {
    let mut config = trusting(&[&Pems::usual().chain]);
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// Asks, and returns all that comes.
async fn ask(client: &mut TlsStream<Stream>) -> String {
    client.write_all(GET).await.unwrap();
    client.flush().await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Returns the first message of a client.
fn hello() -> Vec<u8> {
    let config = Arc::new(trusting(&[&Pems::usual().chain]));
    let name = ServerName::try_from("localhost").unwrap();
    let mut session = ClientConnection::new(config, name).unwrap();
    let mut hello = Vec::new();
    session.write_tls(&mut hello).unwrap();
    hello
}

/// Reads to the end, without a reset. Returns what has come in the clear: alerts.
async fn rest(stream: &mut Stream) -> Vec<u8> {
    let mut rest = Vec::new();
    stream
        .read_to_end(&mut rest)
        .await
        .expect("an end, no reset");
    assert_eq!(rest.first(), Some(&21), "{rest:?}");
    rest
}

#[test]
fn the_handler_knows_what_was_agreed_on() {
    let offers: [(&[&str], [&str; 2]); 2] = [
        (&[], ["None", "None"]),
        (&["http/1.1", "x"], ["None", "Some(\"http/1.1\")"]),
    ];
    for (offered, agreed) in offers {
        beside_both(&tls(), async |site, kind| {
            let mut client = shake_hands(site.connect().await, offered).await.unwrap();
            let answer = ask(&mut client).await;
            let agreed = agreed[usize::from(kind == Kind::Http)];
            let words =
                format!("for Some(\"localhost\") by {agreed} TLSv1_3 TLS13_AES_256_GCM_SHA384");
            assert!(answer.ends_with(&words), "{answer}");
        });
    }
}

#[test]
fn a_client_without_a_protocol_in_common_is_refused() {
    beside_both(&tls().alpn(["x"]), async |site, kind| {
        let refused = shake_hands(site.connect().await, &["h2", "y"])
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains("NoApplicationProtocol"),
            "{refused}"
        );
        let taken = shake_hands(site.connect().await, &["http/1.1", "x"])
            .await
            .unwrap();
        let protocol = taken.get_ref().1.alpn_protocol().unwrap();
        let expected: &[u8] = if kind == Kind::Http {
            b"http/1.1"
        } else {
            b"x"
        };
        assert_eq!(protocol, expected);
    });
}

#[test]
fn a_handshake_has_ten_seconds_or_as_many_as_it_is_given() {
    for (limit, tls) in [(10, tls()), (3, tls().handshake_timeout(3 * SECOND))] {
        beside_both(&tls, async |site, _| {
            // One that says nothing.
            rest(&mut site.connect().await).await;
            assert_eq!(site.elapsed(), limit * SECOND);
            // One that is too slow, but never silent.
            let mut slow = site.connect().await;
            let hello = hello();
            for byte in &hello[..limit as usize] {
                slow.write_all(&[*byte]).await.unwrap();
                site.clock.sleep(SECOND).await;
            }
            rest(&mut slow).await;
            assert_eq!(site.elapsed(), 2 * limit * SECOND);
        });
    }
}

#[test]
fn a_handshake_counts_as_a_connection_until_it_fails() {
    beside_both(&tls(), async |site, _| {
        let mut silent = site.connect().await;
        // Accepted before the next.
        site.clock.sleep(SECOND).await;
        let next = async {
            let mut next = shake_hands(site.connect().await, &[]).await.unwrap();
            assert!(site.elapsed() >= 10 * SECOND, "{:?}", site.elapsed());
            ask(&mut next).await
        };
        let end = async {
            rest(&mut silent).await;
            drop(silent);
        };
        let (answer, ()) = future::zip(next, end).await;
        assert!(answer.contains("TLSv1_3"), "{answer}");
    });
}

#[test]
fn a_client_that_says_nothing_does_not_hold_up_a_stop() {
    let took = beside_both(&tls(), async |site, _| {
        let mut silent = site.connect().await;
        site.clock.sleep(SECOND / 2).await;
        site.handle.stop();
        rest(&mut silent).await;
        assert_eq!(site.elapsed(), SECOND);
    });
    // It is gone when it has read the end.
    assert_eq!(took, [SECOND / 2; 2]);
}

#[test]
fn a_client_in_its_handshake_has_five_seconds_from_the_stop_on() {
    let took = beside_both(&tls(), async |site, _| {
        let mut half = site.connect().await;
        half.write_all(&hello()[..20]).await.unwrap();
        site.clock.sleep(2 * SECOND).await;
        site.handle.stop();
        rest(&mut half).await;
        assert_eq!(site.elapsed(), 7 * SECOND);
    });
    assert_eq!(took, [5 * SECOND; 2]);
}

#[test]
fn a_client_that_closes_its_side_and_takes_no_answer_ends_its_handshake() {
    // There is no room for all of the server's part of it.
    let small = || Network::with_capacity(700);
    beside_both_on(small, &tls(), async |site, _| {
        let mut half = site.connect().await;
        half.write_all(&hello()).await.unwrap();
        half.shutdown(std::net::Shutdown::Write).unwrap();
        let next = async {
            let mut next = shake_hands(site.connect().await, &[]).await.unwrap();
            ask(&mut next).await
        };
        let gone = async {
            site.clock.sleep(SECOND).await;
            drop(half);
        };
        let (answer, ()) = future::zip(next, gone).await;
        assert!(answer.contains("TLSv1_3"), "{answer}");
        assert!(site.elapsed() <= 2 * SECOND, "{:?}", site.elapsed());
    });
}

#[test]
fn a_client_that_takes_nothing_of_its_handshake_does_not_hold_up_a_stop() {
    let small = || Network::with_capacity(13);
    let took = beside_both_on(small, &tls(), async |site, _| {
        let mut silent = site.connect().await;
        silent.write_all(&hello()).await.unwrap();
        site.clock.sleep(SECOND).await;
        site.handle.stop();
        site.clock.sleep(20 * SECOND).await;
        drop(silent);
    });
    // Where it is told why, it has 2 s for that.
    assert_eq!(took, [5 * SECOND, 7 * SECOND]);
}

#[test]
fn a_reload_amid_a_handshake_is_shown_to_it_if_it_has_not_said_hello() {
    let Pems { chain, key } = Pems::of("old");
    let certificates = Certificates::from_pem(&chain, &key).unwrap();
    beside_both(&TlsConfig::new(&certificates), async |site, _| {
        certificates.replace(&chain, &key).unwrap();
        let new = Pems::of("new");
        let config = Arc::new(trusting(&[&new.chain]));
        let name = ServerName::try_from("localhost").unwrap();
        let mut session = ClientConnection::new(config, name).unwrap();
        let mut hello = Vec::new();
        session.write_tls(&mut hello).unwrap();
        let mut stream = site.connect().await;
        stream.write_all(&hello[..100]).await.unwrap();
        site.clock.sleep(SECOND).await;
        certificates.replace(&new.chain, &new.key).unwrap();
        stream.write_all(&hello[100..]).await.unwrap();
        while session.is_handshaking() {
            let mut bytes = [0; 5000];
            let count = stream.read(&mut bytes).await.unwrap();
            assert_ne!(count, 0);
            session.read_tls(&mut &bytes[..count]).unwrap();
            session.process_new_packets().unwrap();
        }
        let mut last = Vec::new();
        while session.wants_write() {
            session.write_tls(&mut last).unwrap();
        }
        stream.write_all(&last).await.unwrap();
    });
}

#[test]
fn a_client_that_is_connected_at_the_stop_goes_through_its_handshake() {
    beside_both(&tls(), async |site, _| {
        // One is accepted, and for the other there is no room.
        let accepted = site.connect().await;
        site.clock.sleep(SECOND / 4).await;
        let waiting = site.connect().await;
        site.handle.stop();
        site.clock.sleep(SECOND / 4).await;
        for stream in [accepted, waiting] {
            let mut client = shake_hands(stream, &[]).await.unwrap();
            site.clock.sleep(SECOND / 2).await;
            assert!(ask(&mut client).await.contains("TLSv1_3"));
        }
    });
}

/// Keeps the records of the whole process.
struct Keeper(Mutex<Vec<String>>);

static KEEPER: Keeper = Keeper(Mutex::new(Vec::new()));

impl Log for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "neap"
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let event = record.key_values().get("event".into());
            let event = event.map(|event| event.to_string()).unwrap_or_default();
            let line = format!("{} {event}: {}", record.level(), record.args());
            self.0.lock().unwrap().push(line);
        }
    }

    fn flush(&self) {}
}

#[test]
fn what_is_no_tls_costs_its_connection_which_is_closed_well_and_logged() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&KEEPER).unwrap();
        log::set_max_level(LevelFilter::Trace);
    });
    let mut broken = hello();
    let middle = broken.len() / 2;
    broken[middle..].fill(0xff);
    let cases: [(&[u8], &str); 3] = [
        (GET, "what has come is not TLS"),
        (&broken, "received corrupt message of type"),
        (
            &[22, 3, 1, 0, 4, 2, 0, 0, 0],
            "received corrupt message of type MissingData",
        ),
    ];
    for (bytes, words) in cases {
        beside_both(&tls(), async |site, _| {
            let mut client = site.connect().await;
            client.write_all(bytes).await.unwrap();
            let alert = rest(&mut client).await;
            // It is fatal, and no good-bye.
            assert_eq!((alert.len(), alert[5]), (7, 2), "{alert:?}");
            let peer = client.local_addr().to_string();
            let records = KEEPER.0.lock().unwrap().join("\n");
            let record =
                format!("DEBUG handshake failed: TLS handshake with {peer} failed: {words}");
            assert!(records.contains(&record), "{record}\n{records}");
            drop(client);
            // One that leaves amid its handshake.
            let mut client = site.connect().await;
            client.write_all(&hello()[..50]).await.unwrap();
            drop(client);
            // The next is served.
            let mut client = shake_hands(site.connect().await, &[]).await.unwrap();
            assert!(ask(&mut client).await.contains("TLSv1_3"));
        });
    }
}
