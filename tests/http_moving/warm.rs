//! A connection that has seen other heads gives a handler the request that a fresh one gives it.
//!
//! Random sequences of heads that are like each other, through each door. `SEQUENCES=10000 cargo test --release
//! --all-features --test http_moving warm` tries more of them, and `SEED=n` others.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use axum::Router;
use fastrand::Rng;
use futures_lite::AsyncReadExt;
use http_body_util::BodyExt;
use http_types::Response;
use neap::http::{self as neap_http, App, RequestExt, Server};
use neap::test::{Clock, Network};

use crate::http_support::in_memory::serve;
use crate::runtimes::limited;

/// Longer than a connection keeps what it remembers.
const FORGETS: Duration = Duration::from_millis(150);

/// A request that is valid, and is answered with 200.
#[derive(Clone)]
struct Head {
    method: &'static str,
    target: String,
    version: &'static str,
    fields: Vec<(&'static str, String)>,
    body: Sent,
}

#[derive(Clone, Copy)]
enum Sent {
    Nothing,
    Length(usize),
    Chunks(usize),
}

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "OPTIONS"];
const TARGETS: [&str; 12] = [
    "/",
    "/a",
    "/b",
    "/a?",
    "/a?b",
    "/a?c",
    "/a?b=/b",
    "//a",
    "/%61",
    "/a'?b'",
    "http://c/a?b",
    "http://b",
];
const HOSTS: [&str; 6] = ["a", "b", "A", "", "pod.1", "a:80"];
const NAMES: [&str; 12] = [
    "x-a",
    "X-A",
    "x-b",
    "x-ab",
    "accept",
    "Accept",
    "cookie",
    "authorization",
    "user-agent",
    "x-c",
    "te",
    "via",
];
const VALUES: [&str; 9] = [
    "",
    "1",
    "2",
    "12",
    "a b",
    "\u{e4}",
    "%C3%A4",
    "Bearer one",
    "Bearer two",
];

fn one_of<T: Clone>(rng: &mut Rng, all: &[T]) -> T {
    all[rng.usize(..all.len())].clone()
}

impl Head {
    fn new(rng: &mut Rng) -> Head {
        let fields = 1 + rng.usize(..6);
        let mut head = Head {
            method: one_of(rng, &METHODS),
            target: one_of(rng, &TARGETS).to_owned(),
            version: "1.1",
            fields: (0..fields).map(|_| field(rng)).collect(),
            body: Sent::Nothing,
        };
        let host = ("host", one_of(rng, &HOSTS).to_owned());
        head.fields.insert(rng.usize(..=fields), host);
        head
    }

    /// Changes one thing, or nothing.
    fn change(&mut self, rng: &mut Rng) {
        let at = rng.usize(..self.fields.len());
        let other = rng.usize(..self.fields.len());
        let is_host = |at: usize| self.fields[at].0.eq_ignore_ascii_case("host");
        match rng.u8(..16) {
            0 => self.method = one_of(rng, &METHODS),
            1 | 2 => self.target = one_of(rng, &TARGETS).to_owned(),
            3 => self.target = format!("/{}", "x".repeat(100 + rng.usize(..60))),
            4 if is_host(at) => self.fields[at].1 = one_of(rng, &HOSTS).to_owned(),
            4 | 5 if !is_host(at) => self.fields[at].1 = one_of(rng, &VALUES).to_owned(),
            6 if !is_host(at) => self.fields[at].0 = one_of(rng, &NAMES),
            7 => self.fields.swap(at, other),
            8 if !is_host(at) => drop(self.fields.remove(at)),
            9 if self.fields.len() < 12 => self.fields.insert(at, field(rng)),
            // The values of two fields change places.
            10 if !is_host(at) && !is_host(other) => {
                let (one, two) = (self.fields[at].1.clone(), self.fields[other].1.clone());
                (self.fields[at].1, self.fields[other].1) = (two, one);
            }
            // As long as before, but longer than is remembered.
            11 if !is_host(at) => self.fields[at].1 = "y".repeat(1900 + rng.usize(..300)),
            12 => self.version = one_of(rng, &["1.0", "1.1", "1.1"]),
            13 | 14 => {
                let length = rng.usize(..12);
                self.body = one_of(
                    rng,
                    &[Sent::Nothing, Sent::Length(length), Sent::Chunks(length)],
                );
            }
            _ => {}
        }
        if self.version == "1.0" && matches!(self.body, Sent::Chunks(_)) {
            self.body = Sent::Nothing;
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/{}\r\n", self.method, self.target, self.version);
        for (name, value) in &self.fields {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        // HTTP/1.0 asks for that, and the heads of both versions are to be alike.
        text += "connection: keep-alive\r\n";
        let _ = match self.body {
            Sent::Nothing => write!(text, "\r\n"),
            Sent::Length(length) => {
                write!(
                    text,
                    "content-length: {length}\r\n\r\n{}",
                    "b".repeat(length)
                )
            }
            Sent::Chunks(0) => write!(text, "transfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
            Sent::Chunks(length) => {
                let chunk = format!("{length:x}\r\n{}\r\n", "c".repeat(length));
                write!(
                    text,
                    "transfer-encoding: chunked\r\n\r\n{chunk}0\r\nx-t: {length}\r\n\r\n"
                )
            }
        };
        text.into_bytes()
    }
}

fn field(rng: &mut Rng) -> (&'static str, String) {
    (one_of(rng, &NAMES), one_of(rng, &VALUES).to_owned())
}

/// Answers with all of a request, in its order.
async fn tell(request: http::Request<neap_http::Body>) -> http::Response<String> {
    let (parts, body) = request.into_parts();
    let mut text = format!("{} {} {:?}\n", parts.method, parts.uri, parts.version);
    for (name, value) in &parts.headers {
        let _ = writeln!(text, "{name}: {}", value.as_bytes().escape_ascii());
    }
    let _ = writeln!(text, "{}", parts.extensions.len());
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned();
    let _ = write!(text, "{:?} {trailers:?}", body.to_bytes());
    http::Response::new(text)
}

/// The same for tide, whose fields have no order but that of the values of one name.
async fn tell_of_tide(mut request: http_types::Request) -> http_types::Result<Response> {
    let (method, url, version) = (request.method(), request.url(), request.version());
    let mut text = format!("{method} {url} {version:?} {:?}\n", request.len());
    let _ = writeln!(text, "{:?} {}", request.local_addr(), request.is_ready());
    let mut fields: Vec<_> = request.iter().map(|field| format!("{field:?}\n")).collect();
    fields.sort();
    text += &fields.concat();
    let trailers = request.has_trailers().then(|| request.recv_trailers());
    let mut body = Vec::new();
    request.read_to_end(&mut body).await?;
    let _ = write!(text, "{} ", body.escape_ascii());
    if let Some(trailers) = trailers {
        let _ = write!(text, "{:?}", trailers.await);
    }
    Ok(Response::from(text))
}

/// How the requests of a sequence are sent.
#[derive(Clone, Copy)]
enum Way {
    OneByOne,
    /// With a pause before some of them.
    Idle,
    AllAtOnce,
    /// The same, in pieces of a few bytes.
    InPieces,
}

/// Returns what the handler saw of each request, on one connection of a server of its own.
fn seen<A: App + 'static>(app: A, requests: &[Vec<u8>], way: Way) -> Vec<String> {
    let (network, clock) = (Network::new(), Clock::new());
    let (ended, seen) = serve(
        (network, clock),
        |address| Server::new(app, address),
        async |site| {
            let mut client = site.connect().await;
            let mut answers = Vec::new();
            if matches!(way, Way::AllAtOnce | Way::InPieces) {
                let bytes = requests.concat();
                let piece = if matches!(way, Way::InPieces) {
                    7
                } else {
                    bytes.len()
                };
                for piece in bytes.chunks(piece) {
                    client.send(piece).await;
                }
            }
            for (at, request) in requests.iter().enumerate() {
                if matches!(way, Way::Idle) && at % 3 == 2 {
                    site.clock.sleep(FORGETS).await;
                }
                if matches!(way, Way::OneByOne | Way::Idle) {
                    client.send(request).await;
                }
                let answer = client.answer().await;
                let (head, text) = answer.split_once("\r\n\r\n").unwrap();
                assert!(
                    head.starts_with("HTTP/1.1 200 "),
                    "{head} {}",
                    request.escape_ascii()
                );
                answers.push(text.to_owned());
            }
            answers
        },
    );
    ended.result.unwrap();
    seen
}

/// Compares sequences with the same requests on servers of their own.
fn check<A: App + 'static>(app: impl Fn() -> A) {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse().unwrap());
    let mut rng = Rng::with_seed(number("SEED").unwrap_or(1));
    let mut afresh: HashMap<Vec<u8>, String> = HashMap::new();
    for _ in 0..number("SEQUENCES").unwrap_or(150) {
        // Two heads that come in turn, as they change.
        let mut heads = [Head::new(&mut rng), Head::new(&mut rng)];
        let requests: Vec<_> = (0..16)
            .map(|_| {
                let head = &mut heads[usize::from(rng.u8(..5) == 0)];
                head.change(&mut rng);
                head.bytes()
            })
            .collect();
        let way = one_of(
            &mut rng,
            &[Way::OneByOne, Way::Idle, Way::AllAtOnce, Way::InPieces],
        );
        let seen = seen(app(), &requests, way);
        for (at, (request, seen)) in requests.iter().zip(seen).enumerate() {
            let alone =
                || self::seen(app(), std::slice::from_ref(request), Way::OneByOne).remove(0);
            let expected = afresh.entry(request.clone()).or_insert_with(alone);
            let before = requests[..at]
                .iter()
                .map(|request| request.escape_ascii().to_string());
            assert_eq!(seen, *expected, "behind {:#?}", before.collect::<Vec<_>>());
        }
        afresh.retain(|_, _| rng.u8(..4) > 0);
    }
}

#[test]
fn a_warm_connection_shows_axum_what_a_fresh_one_does() {
    limited(|| check(|| neap_http::from_fn(tell)));
}

#[test]
fn a_warm_connection_shows_tide_what_a_fresh_one_does() {
    limited(|| check(|| neap_http::from_tide_fn(tell_of_tide)));
}

#[test]
fn a_warm_connection_shows_tide_behind_axum_what_a_fresh_one_does() {
    limited(|| {
        check(|| {
            let app = neap_http::tide_service(neap_http::from_tide_fn(tell_of_tide));
            neap_http::service(Router::new().fallback_service(app))
        });
    });
}
