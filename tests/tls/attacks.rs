//! Clients that cut what they send anywhere, and such as send what is broken, by random; `NEAP_TLS_ROUNDS` says how
//! many. A failure names its seed.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use futures_rustls::rustls::pki_types::ServerName;
use futures_rustls::rustls::{ClientConfig, ClientConnection, version};
use neap::http::{self, Server};
use neap::net::{Certificates, ClientAuthorities, Stream, TlsConfig};
use neap::test::{Clock, Network};
use neap::{Group, Handle};

use crate::client::{showing, trusting_in};
use crate::limit::limited;
use crate::pems::Pems;

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello";

fn rounds() -> u64 {
    let rounds = std::env::var("NEAP_TLS_ROUNDS");
    rounds.map_or(200, |rounds| rounds.parse().expect("a number of rounds"))
}

/// What a client has to do with.
struct Site {
    network: Network,
    clock: Clock,
    handle: Handle<'static>,
    certificates: Certificates,
    authorities: ClientAuthorities,
    rng: Rng,
}

/// Runs a story beside a server that asks for certificates, on a network that takes few bytes or many at once.
/// Returns how long it went on after the stop.
fn beside(mut rng: Rng, story: impl AsyncFn(&mut Site)) -> Duration {
    let capacity = [13, 300, 4000, 100_000][rng.usize(..4)];
    let (network, clock) = (Network::with_capacity(capacity), Clock::new());
    let Pems { chain, key } = Pems::of("old");
    let certificates = Certificates::from_pem(&chain, &key).unwrap();
    let authorities = ClientAuthorities::from_pem(&Pems::file("authority.pem")).unwrap();
    let tls = TlsConfig::new(&certificates).request_client_certificate(&authorities);
    let app = axum::Router::new().route(
        "/",
        axum::routing::get("hello").post(async |body: String| body),
    );
    let server = Server::new(http::service(app), network.listen(80)).tls(tls);
    let mut group = Group::new()
        .clock(&clock)
        .drain_timeout(Duration::from_secs(60));
    group.add("http", server.into_service());
    let handle = group.handle();
    let mut site = Site {
        network: network.clone(),
        clock: clock.clone(),
        handle: handle.clone(),
        certificates,
        authorities,
        rng,
    };
    let run = async { (group.run().await, clock.now()) };
    let stop = async {
        handle.token().stopped().await;
        clock.now()
    };
    let story = async {
        story(&mut site).await;
        site.handle.stop();
    };
    let both = limited(&clock, future::zip(run, future::zip(stop, story)));
    let ((ended, ended_at), (stopped_at, ())) = clock.block_on(both);
    ended.unwrap();
    assert_eq!(network.open_ends(), 0);
    ended_at - stopped_at
}

/// A client that sends what its session has in parts, with pauses, and has the server told to stop before one of
/// its bytes.
struct Client<'s> {
    site: &'s mut Site,
    stream: Stream,
    session: ClientConnection,
    /// How many bytes are sent before the stop.
    stop_in: usize,
    /// How many pauses there may still be: fewer than a head or a handshake has time for.
    pauses: usize,
}

impl<'s> Client<'s> {
    async fn connect(site: &'s mut Site, config: ClientConfig, stop_in: usize) -> Client<'s> {
        let stream = site.network.connect(80).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(Arc::new(config), name).unwrap();
        Client {
            site,
            stream,
            session,
            stop_in,
            pauses: 8,
        }
    }

    fn outgoing(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.session.wants_write() {
            self.session.write_tls(&mut bytes).unwrap();
        }
        bytes
    }

    /// Sends bytes in parts.
    async fn send(&mut self, mut bytes: &[u8]) -> std::io::Result<()> {
        while !bytes.is_empty() {
            if self.stop_in == 0 {
                self.site.handle.stop();
            }
            let most = bytes.len().min(if self.stop_in == 0 {
                usize::MAX
            } else {
                self.stop_in
            });
            let part = 1 + self.site.rng.usize(..most);
            self.stream.write_all(&bytes[..part]).await?;
            bytes = &bytes[part..];
            self.stop_in -= part.min(self.stop_in);
            if self.pauses > 0 && self.site.rng.u8(..4) == 0 {
                self.pauses -= 1;
                let pause = Duration::from_millis(self.site.rng.u64(..400));
                self.site.clock.sleep(pause).await;
            }
            // Both sets of certificates are good.
            if self.site.rng.u8(..16) == 0 {
                let Pems { chain, key } = Pems::of(["old", "new"][self.site.rng.usize(..2)]);
                self.site.certificates.replace(&chain, &key).unwrap();
                let authorities = Pems::file("authority.pem");
                self.site.authorities.replace(&authorities).unwrap();
            }
        }
        Ok(())
    }

    /// Takes what comes. Returns how many bytes.
    async fn receive(&mut self) -> std::io::Result<usize> {
        let mut bytes = [0; 5000];
        let count = self.stream.read(&mut bytes).await?;
        let mut come = &bytes[..count];
        loop {
            // Nothing is taken behind a good-bye.
            let taken = self.session.read_tls(&mut come)?;
            let processed = self.session.process_new_packets();
            processed.map_err(std::io::Error::other)?;
            if come.is_empty() || taken == 0 {
                return Ok(count);
            }
        }
    }

    async fn shake_hands(&mut self) -> std::io::Result<()> {
        while self.session.is_handshaking() {
            let bytes = self.outgoing();
            self.send(&bytes).await?;
            if self.session.is_handshaking() && self.receive().await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        let bytes = self.outgoing();
        self.send(&bytes).await
    }

    /// Returns a request in a record or two, perhaps with changes of keys.
    fn request(&mut self, request: &str) -> Vec<u8> {
        let request = request.as_bytes();
        let (first, second) = request.split_at(self.site.rng.usize(..request.len()));
        let mut bytes = Vec::new();
        for part in [first, second] {
            if self.session.protocol_version() == Some(version::TLS13.version)
                && self.site.rng.u8(..4) == 0
            {
                self.session.refresh_traffic_keys().unwrap();
            }
            std::io::Write::write_all(&mut self.session.writer(), part).unwrap();
            bytes.extend(self.outgoing());
        }
        bytes
    }

    /// Reads an answer; less than one at the end.
    async fn answer(&mut self) -> std::io::Result<String> {
        let mut answer = String::new();
        while !answer.ends_with("hello") {
            let is_end = self.receive().await? == 0;
            let mut plain = [0; 5000];
            while let Ok(count @ 1..) = std::io::Read::read(&mut self.session.reader(), &mut plain)
            {
                answer.push_str(std::str::from_utf8(&plain[..count]).unwrap());
            }
            if is_end {
                break;
            }
        }
        Ok(answer)
    }
}

/// Returns the configuration of a client by random.
fn config(rng: &mut Rng) -> ClientConfig {
    let versions = &[[&version::TLS12, &version::TLS13][rng.usize(..2)]];
    let [old, new] = ["old", "new"].map(|name| Pems::of(name).chain);
    match rng.bool() {
        true => showing(versions, &[&old, &new], &Pems::of("client")),
        false => trusting_in(versions, &[&old, &new]),
    }
}

#[test]
fn however_what_is_sent_is_cut_each_request_is_answered_at_a_stop_too() {
    for seed in 0..rounds() {
        let mut rng = Rng::with_seed(seed);
        let (config, stop_in) = (config(&mut rng), rng.usize(..2500));
        let took = beside(rng, async |site| {
            let mut client = Client::connect(site, config.clone(), stop_in).await;
            client.shake_hands().await.expect("a handshake");
            loop {
                // It has room for a pause within a head again, and for none between two.
                client.pauses = 8;
                let request = [GET, POST][client.site.rng.usize(..2)];
                let request = client.request(request);
                client.send(&request).await.expect("a request");
                let answer = client.answer().await.expect("an answer");
                assert!(
                    answer.starts_with("HTTP/1.1 200 "),
                    "seed {seed}: {answer:?}"
                );
                if answer.contains("connection: close") {
                    return;
                }
            }
        });
        assert!(took < Duration::from_secs(5), "seed {seed}: {took:?}");
    }
}

/// Breaks bytes in one way or another.
fn broken(mut bytes: Vec<u8>, rng: &mut Rng) -> Vec<u8> {
    let at = rng.usize(..bytes.len());
    match rng.u8(..6) {
        0 => bytes[at] ^= 1 << rng.u8(..8),
        1 => bytes.truncate(at),
        2 => bytes.insert(at, rng.u8(..)),
        3 => drop(bytes.remove(at)),
        // Alerts in the clear: a warning, and one that is fatal.
        4 => drop(bytes.splice(at..at, [21, 3, 3, 0, 2, 1 + rng.u8(..2), 90])),
        _ => drop(bytes.splice(0..0, [21, 3, 3, 0, 2, 1, 0].repeat(rng.usize(1..20)))),
    }
    bytes
}

#[test]
fn what_is_broken_costs_its_own_connection_and_holds_no_drain() {
    for seed in 0..rounds() {
        let mut rng = Rng::with_seed(seed);
        let (own, other) = (config(&mut rng), config(&mut rng));
        let when = rng.usize(..4);
        let took = beside(rng, async |site| {
            let mut client = Client::connect(site, own.clone(), usize::MAX).await;
            let done = async {
                for step in 0..4 {
                    let bytes = match client.session.is_handshaking() {
                        true => client.outgoing(),
                        false => client.request(GET),
                    };
                    if step == when && !bytes.is_empty() {
                        let bytes = broken(bytes, &mut client.site.rng);
                        client.send(&bytes).await?;
                        if client.site.rng.bool() {
                            let _ = client.stream.shutdown(std::net::Shutdown::Write);
                        }
                        return Ok(());
                    }
                    client.send(&bytes).await?;
                    client.receive().await?;
                }
                std::io::Result::Ok(())
            };
            let _ = done.await;
            // It reads to the end beside another, or is gone at once.
            let is_gone = client.site.rng.bool();
            let Client { site, stream, .. } = client;
            let mut stream = (!is_gone).then_some(stream);
            let rest = async {
                if let Some(stream) = &mut stream {
                    let _ = stream.read_to_end(&mut Vec::new()).await;
                }
            };
            let good = async {
                let mut client = Client::connect(site, other.clone(), usize::MAX).await;
                client.shake_hands().await.expect("a handshake");
                let request = client.request(GET);
                client.send(&request).await.expect("a request");
                let answer = client.answer().await.expect("an answer");
                assert!(
                    answer.starts_with("HTTP/1.1 200 "),
                    "seed {seed}: {answer:?}"
                );
                client.site.handle.stop();
            };
            future::zip(rest, good).await;
        });
        // A head or a handshake in part has 5 s, and who is refused may read for a while.
        assert!(took <= Duration::from_secs(8), "seed {seed}: {took:?}");
    }
}
