//! The bodies of requests: raw bytes behind a head, in pieces through the whole server, against a plain
//! reader of RFC 9112, 6.3 and 7.1, that has all of them at once.
//!
//! The first bytes of an input are choices, the rest is what comes behind the head.

#![no_main]

mod answers;
mod input;
mod session;

use std::time::Duration;

use answers::{Answer, Fields, read};
use futures_lite::AsyncReadExt;
use http_types::{Request, Response, Result};
use input::Input;
use libfuzzer_sys::fuzz_target;
use neap::http::{Server, TideApp};
use session::{Blow, Client, Plan};

/// The longest body that is accepted, in bytes.
const MAX_BODY: usize = 3000;
/// The longest line of a chunk, the most bytes of extensions in one body, and of trailers, as `SECURITY.md`
/// says.
const MAX_LINE: usize = 1024;
const MAX_EXTENSIONS: usize = 16 * 1024;
const MAX_TRAILERS: usize = 8 * 1024;
const MAX_FIELDS: usize = 100;

/// What bytes behind a head are.
#[derive(Debug)]
enum Body {
    /// A whole body, its trailers, and how many bytes they are.
    Whole(Vec<u8>, Fields, usize),
    /// It has not come to its end.
    Part,
    /// It is answered with one of these.
    Refused(&'static [u16]),
}

/// Answers with the body that it reads, and its trailers.
struct Copies;

impl TideApp for Copies {
    async fn respond(&self, mut request: Request) -> Result<Response> {
        let (mut body, mut part) = (Vec::new(), [0; 5000]);
        let size = match request.url().path() {
            "/one" => 1,
            "/seven" => 7,
            _ => part.len(),
        };
        while let bytes @ 1.. = request.read(&mut part[..size]).await? {
            body.extend_from_slice(&part[..bytes]);
        }
        let trailers = match request.has_trailers() {
            true => request.recv_trailers().await,
            false => None,
        };
        let mut fields: Vec<_> = trailers
            .iter()
            .flat_map(|trailers| trailers.iter())
            .flat_map(|(name, values)| values.iter().map(move |value| (name, value)))
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        fields.sort();
        let mut response = Response::new(200);
        response.insert_header("x-method", request.method().to_string());
        response.set_body([body, trailer_text(&fields)].concat());
        Ok(response)
    }
}

/// Returns what an answer says of trailers: those that begin with `x`.
fn trailer_text(fields: &Fields) -> Vec<u8> {
    for (name, _) in fields {
        let frames = ["content-length", "transfer-encoding", "host", "connection"];
        assert!(!frames.contains(&&**name), "a trailer {name}");
    }
    let mut text = b"\n".to_vec();
    for (name, value) in fields.iter().filter(|(name, _)| name.starts_with('x')) {
        text.extend_from_slice(format!("{name}: {value}\n").as_bytes());
    }
    text
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let path = input.one_of(&["/", "/one", "/seven"]);
    let sizes =
        (0..1 + input.below(3)).map(|_| input.one_of(&[1, 2, 3, 5, 16, 61, 255, 1000, 5000]));
    let sizes = sizes.collect();
    let window = input.one_of(&[1 << 16, 1, 2, 7, 64, 500, 4096]);
    let length = match input.below(4) {
        3 => Some(input.below(256) * input.one_of(&[1, 1, 12])),
        2 => Some(input.0.len()),
        _ => None,
    };
    let rest = input.0;
    let (framing, body) = match length {
        Some(length) => (format!("content-length: {length}"), by_length(rest, length)),
        None => ("transfer-encoding: chunked".into(), chunked(rest)),
    };
    let head = format!("POST {path} HTTP/1.1\r\nhost: h\r\n{framing}\r\n\r\n");
    let request = [head.as_bytes(), rest].concat();
    let whole = ask(Client::whole(&*request), 1 << 20);
    check(&body, &whole, &request);
    if let Body::Whole(_, _, used) = body {
        // What is behind the body is what it would be alone.
        let alone = ask(Client::whole(&rest[used..]), 1 << 20);
        assert_eq!(whole[1..], alone, "{}", request.escape_ascii());
    }
    let mut client = Client::whole(&*request);
    client.sizes = sizes;
    let least = request.len() / 300;
    for size in &mut client.sizes {
        *size = (*size).max(least);
    }
    check(&body, &ask(client, window.max(least)), &request);
});

fn ask(client: Client, window: usize) -> Vec<Answer> {
    let sent = client.bytes.clone();
    let plan = Plan {
        clients: vec![client],
        window,
        blow: Blow::None,
        at: 0,
    };
    let set = |server: Server<Copies>| {
        let server = server.max_body(MAX_BODY as u64);
        server.head_timeout(Duration::from_secs(5))
    };
    let ran = session::run(&plan, |_| Copies, set);
    let ran = ran.unwrap_or_else(|broken| panic!("{broken}\n{plan:?}"));
    let seen = ran.seen.into_iter().flatten().next().expect("a connection");
    let is_head = |_, fields: &Fields| {
        let says = |value: &str| matches!(value, "HEAD" | "CONNECT");
        let mut fields = fields.iter();
        fields.any(|(name, value)| name == "x-method" && says(value))
    };
    read(&seen.bytes, seen.ended, is_head).unwrap_or_else(|broken| {
        panic!(
            "{broken}\n{}\n{}",
            seen.bytes.escape_ascii(),
            sent.escape_ascii()
        )
    })
}

/// Checks the answers to a request whose body is this one.
fn check(body: &Body, answers: &[Answer], request: &[u8]) {
    let context = || format!("{body:?}\n{answers:?}\n{}", request.escape_ascii());
    let first = answers.first().expect("an answer");
    let is_last =
        |statuses: &[u16]| statuses.contains(&first.status) && first.closes && answers.len() == 1;
    match body {
        Body::Whole(body, trailers, _) => {
            let text = [&**body, &*trailer_text(trailers)].concat();
            let is_so = first.status == 200 && first.body == text && !first.closes;
            assert!(is_so, "{}", context());
        }
        // What can be no part of a body is refused at once.
        Body::Part => assert!(is_last(&[408, 400, 431]), "{}", context()),
        Body::Refused(statuses) => assert!(is_last(statuses), "{}", context()),
    }
}

fn by_length(bytes: &[u8], length: usize) -> Body {
    match bytes.get(..length) {
        _ if length > MAX_BODY => Body::Refused(&[413]),
        Some(body) => Body::Whole(body.to_vec(), Vec::new(), length),
        None => Body::Part,
    }
}

/// Takes the line at the start of `rest`, without its end; `None` if it has none yet.
fn line<'b>(rest: &mut &'b [u8]) -> Option<std::result::Result<&'b [u8], Body>> {
    let feed = rest.iter().position(|byte| *byte == b'\n')?;
    let line = &rest[..feed];
    *rest = &rest[feed + 1..];
    let line = line.strip_suffix(b"\r");
    let is_text = |line: &&[u8]| {
        !line
            .iter()
            .any(|byte| matches!(byte, 0..=8 | 10..=31 | 127))
    };
    Some(line.filter(is_text).ok_or(Body::Refused(&[400])))
}

fn chunked(bytes: &[u8]) -> Body {
    let (mut rest, mut body, mut extensions) = (bytes, Vec::new(), 0);
    loop {
        let line = match line(&mut rest) {
            None => return Body::Part,
            Some(Err(refused)) => return refused,
            Some(Ok(line)) => line,
        };
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit());
        let digits = digits.count();
        extensions += line.len() - digits;
        let is_good = matches!(digits, 1..=16)
            && line.len() <= MAX_LINE
            && extensions <= MAX_EXTENSIONS
            && are_extensions(&line[digits..]);
        if !is_good {
            return Body::Refused(&[400]);
        }
        let size = std::str::from_utf8(&line[..digits]).expect("digits");
        let size = u64::from_str_radix(size, 16).expect("16 digits");
        if size == 0 {
            return end(bytes, rest, body);
        }
        if size > (MAX_BODY - body.len()) as u64 {
            return Body::Refused(&[413]);
        }
        let (data, behind) = rest.split_at(rest.len().min(size as usize));
        body.extend_from_slice(data);
        match behind {
            _ if data.len() < size as usize => return Body::Part,
            [b'\r', b'\n', ..] => rest = &behind[2..],
            [] | [b'\r'] => return Body::Part,
            _ => return Body::Refused(&[400]),
        }
    }
}

/// Reads the trailers, which are at the start of `rest`. A line feed alone is refused at their end only.
fn end(bytes: &[u8], mut rest: &[u8], body: Vec<u8>) -> Body {
    let (section, mut trailers) = (rest, Vec::new());
    loop {
        let found = line(&mut rest);
        let length = section.len() - rest.len();
        if length > MAX_TRAILERS || trailers.len() > MAX_FIELDS {
            return Body::Refused(&[431, 400]);
        }
        match found {
            None => return Body::Part,
            Some(Err(_)) => return Body::Refused(&[400, 408, 431]),
            Some(Ok(b"")) => {
                let kept = |(_, value): &(String, String)| value.is_ascii();
                let mut trailers: Fields = trailers.into_iter().filter(kept).collect();
                trailers.sort();
                return Body::Whole(body, seen(trailers), bytes.len() - rest.len());
            }
            Some(Ok(line)) => match field(line) {
                Some(field) => trailers.push(field),
                None => return Body::Refused(&[400, 431]),
            },
        }
    }
}

/// Leaves only the trailers that are compared.
fn seen(mut trailers: Fields) -> Fields {
    trailers.retain(|(name, _)| name.starts_with('x'));
    trailers
}

fn field(line: &[u8]) -> Option<(String, String)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
    if token(name) != name.len() || name.is_empty() {
        return None;
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((text(name).to_ascii_lowercase(), text(value)))
}

/// Returns how many bytes at the start are those of a token.
fn token(bytes: &[u8]) -> usize {
    let is_token = |byte: &&u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    bytes.iter().take_while(is_token).count()
}

/// Returns true if the bytes are a list of `;name`, `;name=token` and `;name="string"`.
fn are_extensions(mut rest: &[u8]) -> bool {
    while !rest.is_empty() {
        let Some(behind) = rest.strip_prefix(b";").filter(|behind| token(behind) > 0) else {
            return false;
        };
        rest = &behind[token(behind)..];
        let Some(value) = rest.strip_prefix(b"=") else {
            continue;
        };
        let Some(string) = value.strip_prefix(b"\"") else {
            if token(value) == 0 {
                return false;
            }
            rest = &value[token(value)..];
            continue;
        };
        let mut at = 0;
        while string.get(at).is_some_and(|byte| *byte != b'"') {
            at += if string[at] == b'\\' { 2 } else { 1 };
        }
        if at >= string.len() {
            return false;
        }
        rest = &string[at + 1..];
    }
    true
}
