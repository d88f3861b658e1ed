//! One request and its answer, as the access log has it.

use std::fmt::{self, Display, Write};
use std::time::{Duration, Instant};

use ::http::{Method, StatusCode, Version};

use crate::http::codec::AnswerHead;
use crate::net::endpoint::Endpoint;

/// The field by which proxies and apps name a request.
const REQUEST_ID: &str = "x-request-id";

/// The most bytes of a path, of a request's name and of a method that are kept: the queue has to be bounded.
const LONGEST_PATH: usize = 1024;
const LONGEST_ID: usize = 128;
const LONGEST_METHOD: usize = 32;

/// One request and its answer, as an [`AccessLog`](super::AccessLog) has it.
///
/// Its `Display` is the text of the log record:
///
/// ```text
/// 192.0.2.7:51334 "GET /hello HTTP/1.1" 200 12 345.2µs
/// ```
///
/// with a `-` for what there is not, and ` cut` behind an answer that was.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Access {
    /// `None` if the head of the request was refused: it is not known then. At most 32 bytes are kept.
    pub method: Option<Method>,

    /// The path as the app has it, with the query if that is [set](super::AccessLog::query). The host and the
    /// port for CONNECT, but through the door of tide, which has `/` for it. Bytes that are not visible in ASCII, quotes and backslashes are `\x22` and the like; what
    /// is beyond 1,024 bytes is left out. Empty if the head was refused.
    pub path: String,

    /// `None` if the head was refused.
    pub version: Option<Version>,

    /// The status of the answer; `None` if none was begun.
    pub status: Option<StatusCode>,

    /// The bytes of the answer's body that the server has sent, without what frames chunks.
    pub bytes: u64,

    /// The time from the end of the request's head until the last byte of the answer was in the socket. Zero if the
    /// head was refused.
    pub duration: Duration,

    /// The other end of the connection.
    pub peer: Endpoint,

    /// The first field `X-Request-Id` of the request, or else of the answer, in the characters of a path. At most 128
    /// bytes are kept.
    pub request_id: Option<String>,

    /// True if the answer was not sent to its end: the client has left or took nothing, the body has failed, or
    /// the server was cancelled. One that had not begun in a cancel is a 503 then.
    pub is_cut: bool,

    /// When the head had come.
    began: Instant,
}

/// What a door says of a request.
#[derive(Debug)]
pub struct Described<'r> {
    pub method: Method,
    pub path: &'r str,
    pub query: Option<&'r str>,
    pub request_id: Option<&'r [u8]>,
}

impl Described<'_> {
    /// The field that names a request.
    pub(in crate::http) const REQUEST_ID: &'static str = REQUEST_ID;
}

impl Access {
    /// Begins the record of a request that has come from `peer`. Nothing is known if its head was refused.
    pub(super) fn new(peer: Endpoint, began: Instant) -> Self {
        Self {
            method: None,
            path: String::new(),
            version: None,
            status: None,
            bytes: 0,
            duration: Duration::ZERO,
            peer,
            request_id: None,
            is_cut: true,
            began,
        }
    }

    /// Notes what was asked for.
    pub(super) fn describe(&mut self, request: Described<'_>, version: Version, with_query: bool) {
        self.path = printable(request.path.as_bytes(), LONGEST_PATH);
        if let Some(query) = request.query.filter(|_| with_query) {
            let left = LONGEST_PATH.saturating_sub(self.path.len() + 1);
            self.path.push('?');
            self.path += &printable(query.as_bytes(), left);
        }
        self.request_id = request.request_id.map(|id| printable(id, LONGEST_ID));
        self.method = Some(shortened(request.method));
        self.version = Some(version);
    }

    /// Notes the head of the answer.
    pub(in crate::http) fn answer(&mut self, answer: &impl AnswerHead) {
        self.status = Some(answer.status());
        if self.request_id.is_none() {
            answer.visit_fields(|name, value| {
                if name.eq_ignore_ascii_case(REQUEST_ID) {
                    self.request_id = Some(printable(value, LONGEST_ID));
                }
            });
        }
    }

    /// Notes the end of the answer.
    pub(in crate::http) fn end(&mut self, now: Instant, is_cut: bool) {
        self.is_cut = is_cut;
        if self.method.is_some() {
            self.duration = now.saturating_duration_since(self.began);
        }
    }
}

impl Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A client can give its own Unix socket any path.
        let peer = self.peer.to_string();
        write!(f, "{} \"", printable(peer.as_bytes(), peer.len()))?;
        match (&self.method, self.version) {
            (Some(method), Some(version)) => write!(f, "{method} {} {version:?}\" ", self.path)?,
            _ => f.write_str("-\" ")?,
        }
        match self.status {
            Some(status) => write!(f, "{} ", status.as_u16())?,
            None => f.write_str("- ")?,
        }
        write!(f, "{} {:.1?}", self.bytes, self.duration)?;
        f.write_str(if self.is_cut { " cut" } else { "" })
    }
}

/// Returns a method, or its first bytes if it is too long.
fn shortened(method: Method) -> Method {
    match method.as_str().as_bytes() {
        [first @ .., _] if first.len() >= LONGEST_METHOD => {
            Method::from_bytes(&first[..LONGEST_METHOD]).unwrap_or_default()
        }
        _ => method,
    }
}

/// Returns the first bytes, `most` of them, in characters that can neither end a line nor a pair of quotes.
fn printable(bytes: &[u8], most: usize) -> String {
    let mut text = String::with_capacity(bytes.len().min(most));
    for byte in bytes.iter().take(most) {
        if byte.is_ascii_graphic() && !b"\"\\".contains(byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_sends_cannot_forge_a_record() {
        let peer = Endpoint::Tcp(([127, 0, 0, 1], 80).into());
        let mut access = Access::new(peer, Instant::now());
        let request = Described {
            method: Method::GET,
            path: "/\" 200 1\n127.0.0.1:80 \"GET /\\\u{85}",
            query: Some("a b"),
            request_id: Some(b"1\x1b[2J\r\n\xff"),
        };
        access.describe(request, Version::HTTP_11, true);
        let path = r"/\x22\x20200\x201\x0a127.0.0.1:80\x20\x22GET\x20/\x5c\xc2\x85?a\x20b";
        assert_eq!(access.path, path);
        assert_eq!(access.request_id.as_deref(), Some(r"1\x1b[2J\x0d\x0a\xff"));
        let text = format!("127.0.0.1:80 \"GET {path} HTTP/1.1\" - 0 0.0ns cut");
        assert_eq!(access.to_string(), text);
    }

    #[cfg(unix)]
    #[test]
    fn the_path_of_a_clients_socket_cannot_either() {
        let peer = Endpoint::Unix(Some("/tmp/a\n\"GET / HTTP/1.1\" 200 \u{85}".into()));
        let access = Access::new(peer, Instant::now());
        let text =
            r#"unix:/tmp/a\x5cn\x22GET\x20/\x20HTTP/1.1\x22\x20200\x20\x5cu{85} "-" - 0 0.0ns cut"#;
        assert_eq!(access.to_string(), text);
        assert!(!access.peer.to_string().contains(['\n', '\u{85}']));
    }

    #[test]
    fn a_record_is_bounded() {
        let peer = Endpoint::Tcp(([127, 0, 0, 1], 80).into());
        let mut access = Access::new(peer, Instant::now());
        let long = "\n".repeat(16 * 1024);
        let request = Described {
            method: Method::from_bytes(&[b'M'; 16 * 1024]).unwrap(),
            path: &long,
            query: Some(&long),
            request_id: Some(long.as_bytes()),
        };
        access.describe(request, Version::HTTP_11, true);
        assert!(access.path.len() <= 4 * LONGEST_PATH + 1);
        assert_eq!(access.method.unwrap().as_str(), "M".repeat(LONGEST_METHOD));
        assert_eq!(access.request_id.unwrap().len(), 4 * LONGEST_ID);
    }
}
