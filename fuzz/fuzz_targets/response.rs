//! The responses of an app: any status, fields, body and trailers, a body that fails or panics or is shorter
//! than it says. The client must get exactly that, or a cut that shows.
//!
//! All bytes of an input are choices.

#![no_main]

mod answers;
mod input;
mod session;

use std::io;
use std::panic;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use answers::{Answer, Ended, Fields, read};
use futures_lite::{AsyncRead, Future, io::BufReader, ready};
use http_types::{Body, Request, Response, Result, StatusCode, Trailers};
use input::Input;
use libfuzzer_sys::fuzz_target;
use neap::http::{Server, TideApp};
use neap::test::{Clock, Sleep};
use session::{Blow, Client, Plan, Seen};

const STATUSES: [u16; 16] = [
    200, 200, 200, 201, 204, 205, 206, 302, 304, 400, 404, 500, 503, 100, 101, 103,
];
const REQUESTS: [&str; 9] = [
    "GET / HTTP/1.1",
    "GET / HTTP/1.1",
    "HEAD / HTTP/1.1",
    "POST / HTTP/1.1",
    "OPTIONS * HTTP/1.1",
    "CONNECT h:1 HTTP/1.1",
    "GET / HTTP/1.0",
    "GET / HTTP/1.0\r\nconnection: keep-alive",
    "HEAD / HTTP/1.0\r\nconnection: keep-alive",
];
const FIELDS: [(&str, &str); 10] = [
    ("x-a", "1"),
    ("connection", "close"),
    ("connection", "keep-alive, x-a"),
    ("content-length", "7"),
    ("transfer-encoding", "chunked"),
    ("keep-alive", "timeout=5"),
    ("x-split", "a\r\nx-evil: b"),
    ("x-evil\r\nx", "c"),
    ("x-evil", "\0"),
    ("date", "Thu, 01 Jan 1970 00:00:00 GMT"),
];
/// The answer to the request behind.
const AFTER: &str = "after";
/// How a panic of a body is known for one that was meant.
const PANIC: &str = "put in on purpose";

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Well,
    Error,
    Panic,
}

/// A response.
#[derive(Debug, Clone)]
struct Given {
    status: u16,
    fields: Vec<(&'static str, &'static str)>,
    /// The length that is said, if one is.
    said: Option<usize>,
    /// How many bytes come.
    length: usize,
    /// How many bytes come at once, and whether the body waits before each.
    part: usize,
    waits: bool,
    end: End,
    /// How many trailers come; `None` if none are promised. None come of those that are promised, if 0.
    trailers: Option<usize>,
}

impl Given {
    fn new(input: &mut Input<'_>) -> Given {
        let length = input.below(64) * input.one_of(&[1, 1, 0, 17, 600]);
        let said = match input.below(6) {
            0 | 1 => None,
            2 => Some(length.saturating_sub(input.below(8))),
            3 => Some(length + input.below(8)),
            _ => Some(length),
        };
        let part = input.one_of(&[100_000, 1, 3, 7, 61, 1000, 8192]);
        Given {
            status: input.one_of(&STATUSES),
            said,
            length,
            part: part.max(length / 200),
            waits: input.below(4) == 3,
            end: input.one_of(&[End::Well, End::Well, End::Well, End::Error, End::Panic]),
            trailers: Some(input.below(8)).and_then(|choice| choice.checked_sub(4)),
            fields: (0..input.below(5)).map(|_| input.one_of(&FIELDS)).collect(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let byte = |at: usize| b"\r\n0;abcHTTP/1.1 200"[at * 7 % 19];
        (0..self.length).map(byte).collect()
    }
}

struct Gives {
    given: Given,
    clock: Clock,
}

impl TideApp for Gives {
    async fn respond(&self, request: Request) -> Result<Response> {
        if request.url().path() == "/after" {
            return Ok(AFTER.into());
        }
        let given = &self.given;
        let mut response = Response::new(given.status);
        let parts = Parts {
            bytes: given.bytes(),
            given: given.clone(),
            at: 0,
            clock: self.clock.clone(),
            asleep: None,
        };
        let parts = BufReader::with_capacity(given.part.clamp(1, 10_000), parts);
        response.set_body(Body::from_reader(parts, given.said));
        for (name, value) in &given.fields {
            response.append_header(*name, *value);
        }
        if let Some(count) = given.trailers {
            let sender = response.send_trailers();
            let mut trailers = Trailers::new();
            for at in 0..count {
                let _ = trailers.append("x-t", format!("{at}"));
                let _ = trailers.insert("x-bad", "a\r\nx-evil: b");
            }
            match count {
                0 => drop(sender),
                _ => sender.send(trailers).await,
            }
        }
        Ok(response)
    }
}

/// A body in parts.
struct Parts {
    bytes: Vec<u8>,
    given: Given,
    at: usize,
    clock: Clock,
    asleep: Option<Sleep>,
}

impl AsyncRead for Parts {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.given.waits {
            let clock = &this.clock;
            let sleep = || clock.sleep(Duration::from_millis(1));
            ready!(Pin::new(this.asleep.get_or_insert_with(sleep)).poll(cx));
            this.asleep = None;
        }
        let rest = &this.bytes[this.at..];
        let bytes = rest.len().min(out.len()).min(this.given.part);
        if bytes == 0 && !out.is_empty() {
            match this.given.end {
                End::Well => {}
                End::Error => return Poll::Ready(Err(io::Error::other("the body has failed"))),
                End::Panic => panic::panic_any(PANIC),
            }
        }
        out[..bytes].copy_from_slice(&rest[..bytes]);
        this.at += bytes;
        Poll::Ready(Ok(bytes))
    }
}

/// Lets the panics through that are meant: the fuzzer takes every other for a find.
fn let_panics_through() {
    let other = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<&str>() != Some(&PANIC) {
            other(info);
        }
    }));
}

fuzz_target!(init: let_panics_through(), |bytes: &[u8]| {
    let mut input = Input(bytes);
    let request = input.one_of(&REQUESTS);
    let window = input.one_of(&[1 << 20, 1, 2, 7, 64, 500, 4096]);
    let given = Given::new(&mut input);
    let text = format!("{request}\r\nhost: h\r\n\r\nGET /after HTTP/1.1\r\nhost: h\r\n\r\n");
    for window in [1 << 20, window.max(given.length / 300)] {
        let seen = ask(&text, &given, window);
        check(request, &given, &seen);
    }
});

fn ask(text: &str, given: &Given, window: usize) -> Seen {
    let plan = Plan {
        clients: vec![Client::whole(text)],
        window,
        blow: Blow::None,
        at: 0,
    };
    let app = |clock: &Clock| Gives {
        given: given.clone(),
        clock: clock.clone(),
    };
    let ran = session::run(&plan, app, |server: Server<Gives>| server);
    let ran = ran.unwrap_or_else(|broken| panic!("{broken}\n{given:?}"));
    ran.seen.into_iter().flatten().next().expect("a connection")
}

/// What a response must come to.
struct Expected {
    status: u16,
    /// The body, or, if it is cut, what it begins with.
    body: Vec<u8>,
    is_cut: bool,
    closes: bool,
    trailers: usize,
}

fn expected(request: &str, given: &Given) -> Expected {
    let is_http10 = request.contains("HTTP/1.0");
    let (is_head, is_connect) = (request.starts_with("HEAD"), request.starts_with("CONNECT"));
    let is_final = given.status >= 200;
    let named = |value: &str| is_final && given.fields.contains(&("connection", value));
    let is_bare = !is_final
        || is_head
        || matches!(given.status, 204 | 205 | 304)
        || is_connect && given.status < 300;
    let until_close = !is_bare && is_http10 && given.said.is_none();
    let closes =
        named("close") || is_connect || until_close || is_http10 && !request.contains("keep-alive");
    let mut body = given.bytes();
    body.truncate(given.said.unwrap_or(given.length));
    let is_short = given.said.is_some_and(|said| said > given.length);
    let fails = given.end != End::Well && given.said.is_none_or(|said| said > given.length);
    let is_chunked = !is_bare && !is_http10 && given.said.is_none();
    Expected {
        status: if is_final { given.status } else { 500 },
        body: if is_bare { Vec::new() } else { body },
        is_cut: !is_bare && (is_short || fails),
        closes,
        trailers: given.trailers.filter(|_| is_chunked).unwrap_or(0),
    }
}

fn check(request: &str, given: &Given, seen: &Seen) {
    let expected = expected(request, given);
    let context = || format!("{request}: {given:?}\n{}", seen.bytes.escape_ascii());
    let is_head = |at, _: &Fields| at == 0 && request.starts_with("HEAD");
    let answers = read(&seen.bytes, seen.ended, is_head);
    let answers = answers.unwrap_or_else(|broken| panic!("{broken}\n{}", context()));
    // The reset by which a cut shows takes what was not read.
    if expected.is_cut && answers.is_empty() && seen.ended == Ended::Reset {
        return;
    }
    let first = answers.first().unwrap_or_else(|| panic!("{}", context()));
    let is_evil = |(name, _): &(String, String)| name == "x-evil" || name == "x-bad";
    let fields = answers.iter().flat_map(|answer| &answer.fields);
    let mut fields = fields.chain(&first.trailers);
    assert!(!fields.any(is_evil), "{}", context());
    // What nothing has left of is replaced.
    let is_replaced =
        |answer: &Answer| answer.is_whole && answer.status == 500 && answer.body.is_empty();
    if expected.is_cut && !is_replaced(first) {
        let is_cut = !first.is_whole && expected.body.starts_with(&first.body);
        assert!(is_cut && answers.len() == 1, "{}", context());
        return;
    }
    if !expected.is_cut {
        assert_eq!(first.status, expected.status, "{}", context());
        assert!(first.is_whole, "{}", context());
        assert_eq!(first.body, expected.body, "{}", context());
        assert_eq!(first.closes, expected.closes, "{}", context());
        assert_eq!(first.trailers.len(), expected.trailers, "{}", context());
        check_fields(request, given, first);
    }
    assert_eq!(seen.ended, Ended::Well, "{}", context());
    let behind: Vec<_> = answers[1..].iter().map(|answer| &*answer.body).collect();
    match first.closes {
        true => assert!(behind.is_empty(), "{}", context()),
        false => assert_eq!(behind, [AFTER.as_bytes()], "{}", context()),
    }
}

/// Checks the fields of a response that has come as it was given.
fn check_fields(request: &str, given: &Given, found: &Answer) {
    let values = |name: &str| -> Vec<&str> {
        let fields = found.fields.iter().filter(|(other, _)| other == name);
        fields.map(|(_, value)| &**value).collect()
    };
    let is_final = given.status >= 200;
    let sent = given
        .fields
        .iter()
        .filter(|(name, _)| is_final && *name == "x-a");
    assert_eq!(values("x-a").len(), sent.count(), "{given:?}: {found:?}");
    assert!(values("keep-alive").is_empty(), "{given:?}: {found:?}");
    // To HEAD the length is said that GET would have (RFC 9110, 8.6), as far as it is known.
    let is_sized =
        matches!(StatusCode::try_from(given.status), Ok(status) if !status.is_informational());
    let is_sized = is_sized && !matches!(given.status, 204 | 205 | 304);
    if let (Some(said), true, true) = (given.said, is_sized, request.starts_with("HEAD")) {
        // A body of no byte may stand for one that was left out.
        let is_known = |length: &[&str]| length == [said.to_string()];
        let length = values("content-length");
        assert!(said == 0 || is_known(&length), "{given:?}: {found:?}");
    }
}
