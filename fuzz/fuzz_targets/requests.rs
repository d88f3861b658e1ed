//! Valid requests, made of choices.

#![allow(dead_code)]

use std::fmt;

use super::echo::ENDPOINTS;
use super::input::Input;

/// The most requests of one client.
const MOST: usize = 6;
/// The longest body, in bytes: more than the buffers of the server hold.
pub const LONGEST_BODY: usize = 20_000;
const METHODS: [&str; 7] = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"];
const FIELDS: [&str; 8] = [
    "",
    "x-a: 1\r\n",
    "x-a: 2\r\nx-b: 3\r\nx-a: 4\r\n",
    "cookie: n=J\u{f6}rg\r\n",
    "Connection: close\r\n",
    "connection: x, keep-alive\r\n",
    "accept:\r\nuser-agent:   wide   \r\n",
    "CoNNection: upgrade\r\nupgrade: x\r\n",
];
const TARGETS: [&str; 5] = ["", "/x?y=/../z", "?", "/%41%2f//", "/;a=b&c"];

/// A valid request, and what its answer has.
#[derive(Clone)]
pub struct Request {
    pub bytes: Vec<u8>,
    pub method: &'static str,
    pub endpoint: &'static str,
    pub target: String,
    pub body: Vec<u8>,
    /// Whether the client waits to be asked for the body.
    pub expects: bool,
    pub is_http10: bool,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bytes.escape_ascii())
    }
}

/// Makes the requests of one client.
pub fn requests(input: &mut Input<'_>) -> Vec<Request> {
    let count = 1 + input.below(MOST);
    let mut requests: Vec<Request> = Vec::new();
    for _ in 0..count {
        let repeated = requests.last().cloned().filter(|_| input.below(3) == 1);
        requests.push(repeated.unwrap_or_else(|| request(input)));
    }
    requests
}

fn request(input: &mut Input<'_>) -> Request {
    let method = input.one_of(&METHODS);
    let endpoint = input.one_of(&ENDPOINTS);
    let target = format!("/{endpoint}{}", input.one_of(&TARGETS));
    let version = input.below(8);
    let is_http10 = version >= 6;
    let form = if input.below(8) == 7 { "http://h" } else { "" };
    let name = if is_http10 { "1.0" } else { "1.1" };
    let mut head = format!("{method} {form}{target} HTTP/{name}\r\nHost: h\r\n");
    if version == 7 {
        head += "connection: keep-alive\r\n";
    }
    head += input.one_of(&FIELDS);
    let body = body(input);
    let framing = input.below(3);
    let expects = framing > 0 && !body.is_empty() && !is_http10 && input.below(8) == 7;
    if expects {
        head += "Expect: 100-continue\r\n";
    }
    let (bytes, body) = match framing {
        0 => ((head + "\r\n").into_bytes(), Vec::new()),
        2 if !is_http10 => {
            head += "Transfer-Encoding: chunked\r\n\r\n";
            ([head.into_bytes(), chunked(input, &body)].concat(), body)
        }
        _ => {
            head += &format!("content-length: {}\r\n\r\n", body.len());
            ([head.into_bytes(), body.clone()].concat(), body)
        }
    };
    Request {
        bytes,
        method,
        endpoint,
        target,
        body,
        expects,
        is_http10,
    }
}

/// Makes a body: short, or long enough to pass the buffers.
fn body(input: &mut Input<'_>) -> Vec<u8> {
    let length = match input.below(16) {
        0..=9 => input.below(20),
        10..=14 => input.below(200),
        _ => LONGEST_BODY / 8 * input.below(9),
    };
    let seed = input.below(256);
    let byte = |at: usize| b"\r\n0;abcGET /"[(at * 7 + seed) % 12];
    (0..length).map(byte).collect()
}

fn chunked(input: &mut Input<'_>, body: &[u8]) -> Vec<u8> {
    let size = 1 + match input.flag() {
        true => input.below(16),
        false => 256 * input.below(64),
    };
    // The extensions of very many chunks would pass their limit.
    let size = size.max(body.len() / 200);
    let extension = input.one_of(&["", ";a", ";a=b", ";a=\"b;\\\"\""]);
    let mut bytes = Vec::new();
    for chunk in body.chunks(size) {
        bytes.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    let end = input.one_of(&["0\r\n\r\n", "00\r\n\r\n", "0\r\nx-t: 1\r\n\r\n"]);
    bytes.extend_from_slice(end.as_bytes());
    bytes
}
