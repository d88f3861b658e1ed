//! From a `Response` to the bytes of its head.

use http_types::headers::{HeaderName, HeaderValue};
use http_types::{Method, Response, StatusCode, Trailers};

use super::{Refusal, date};

/// How a response's body goes over the wire (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum BodyKind {
    /// Not at all, whatever the handler put there: HEAD, 1xx, 204, 304.
    Nothing,
    /// As so many bytes.
    Length(u64),
    /// In chunks.
    Chunked,
    /// Until the connection closes: HTTP/1.0, length unknown.
    UntilClose,
}

impl BodyKind {
    /// What `response` to a request of `method` needs; `old` if the request was of HTTP/1.0.
    pub(in crate::http) fn of(response: &Response, method: Method, old: bool) -> Self {
        let status = response.status();
        let bodiless = status.is_informational()
            || matches!(status, StatusCode::NoContent | StatusCode::NotModified)
            || method == Method::Head;
        match response.len() {
            _ if bodiless => Self::Nothing,
            Some(length) => Self::Length(length as u64),
            None if old => Self::UntilClose,
            None => Self::Chunked,
        }
    }
}

/// What a response says about the connection it arrives on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Persistence {
    /// Stays open, which HTTP/1.1 need not say.
    Keep,
    /// Stays open, said to an HTTP/1.0 client that asked for it.
    KeepSaid,
    /// Closes after this response.
    Close,
    /// Stops being HTTP: the handler's own `Connection` field stands.
    Upgrade,
}

/// A response's head, ready to be written.
#[derive(Debug)]
pub(in crate::http) struct ResponseHead<'a> {
    pub(in crate::http) response: &'a Response,
    pub(in crate::http) method: Method,
    pub(in crate::http) body: BodyKind,
    pub(in crate::http) persistence: Persistence,
}

impl ResponseHead<'_> {
    /// Appends the head to `out`, and returns what it says about the connection: a handler may
    /// have asked for a close.
    ///
    /// The fields that frame the message are the server's alone; a handler's are left out. So is,
    /// with a log line, any field that would break out of its line.
    pub(in crate::http) fn write(&self, out: &mut Vec<u8>) -> Persistence {
        let mut persistence = self.persistence;
        status_line(self.response.status(), out);
        let mut dated = false;
        for (name, values) in self.response.iter() {
            match name.as_str() {
                "content-length" | "transfer-encoding" | "keep-alive" => continue,
                "connection" if self.persistence != Persistence::Upgrade => {
                    if values.iter().any(|value| names_close(value.as_str())) {
                        persistence = Persistence::Close;
                    }
                    continue;
                }
                "date" => dated = true,
                _ => {}
            }
            for value in values.iter() {
                field(name, value, out);
            }
        }
        if !dated {
            out.extend_from_slice(b"date: ");
            date::write(out);
            out.extend_from_slice(b"\r\n");
        }
        self.framing(out);
        out.extend_from_slice(match persistence {
            Persistence::Close => b"connection: close\r\n\r\n",
            Persistence::KeepSaid => b"connection: keep-alive\r\n\r\n",
            Persistence::Keep | Persistence::Upgrade => b"\r\n",
        });
        persistence
    }

    fn framing(&self, out: &mut Vec<u8>) {
        match self.body {
            BodyKind::Length(length) => content_length(length, out),
            BodyKind::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
            BodyKind::UntilClose => {}
            // RFC 9110, 8.6: to HEAD the length a GET would have had, never to 1xx or 204.
            BodyKind::Nothing if self.method == Method::Head => {
                let said = self.response.header("content-length");
                let said = said.and_then(|values| values.last().as_str().parse().ok());
                match (said, self.response.len()) {
                    (Some(length), None | Some(0)) => content_length(length, out),
                    (_, Some(length)) => content_length(length as u64, out),
                    (None, None) => {}
                }
            }
            BodyKind::Nothing => {}
        }
    }
}

/// Appends a whole response that says why a request is not served, and closes.
pub(in crate::http) fn write_refusal(refusal: Refusal, out: &mut Vec<u8>) {
    status_line(refusal.status, out);
    if !refusal.reason.is_empty() {
        out.extend_from_slice(b"content-type: text/plain;charset=utf-8\r\n");
    }
    out.extend_from_slice(b"date: ");
    date::write(out);
    out.extend_from_slice(b"\r\n");
    content_length(refusal.reason.len() as u64, out);
    out.extend_from_slice(b"connection: close\r\n\r\n");
    out.extend_from_slice(refusal.reason.as_bytes());
}

/// Appends the end of a chunked body.
pub(in crate::http) fn write_last_chunk(trailers: Option<&Trailers>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n");
    for (name, values) in trailers.into_iter().flat_map(|trailers| trailers.iter()) {
        for value in values.iter() {
            field(name, value, out);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Whether a `Connection` field has the option `close`.
fn names_close(value: &str) -> bool {
    value
        .split(',')
        .any(|option| option.trim().eq_ignore_ascii_case("close"))
}

fn status_line(status: StatusCode, out: &mut Vec<u8>) {
    if status == StatusCode::Ok {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    number(u64::from(u16::from(status)), out);
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn content_length(length: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"content-length: ");
    number(length, out);
    out.extend_from_slice(b"\r\n");
}

/// Appends a number in decimal, without the detour over a `String`.
fn number(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// A set of bytes.
type Set = [bool; 256];

/// What a field's name is made of (RFC 9110, 5.6.2).
static TOKEN: Set = {
    let mut set = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        set[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"!#$%&'*+-.^_`|~";
    let mut at = 0;
    while at < others.len() {
        set[others[at] as usize] = true;
        at += 1;
    }
    set
};

/// What stays in its line.
static IN_LINE: Set = {
    let mut set = [true; 256];
    (set[b'\r' as usize], set[b'\n' as usize], set[0]) = (false, false, false);
    set
};

/// Whether there are no bytes in `text` but those in `set`: one look each, and no branch.
fn all_in(text: &str, set: &Set) -> bool {
    text.bytes()
        .fold(true, |all, byte| all & set[usize::from(byte)])
}

/// Appends one field, or leaves it out with a log line if it would not stay in its line.
fn field(name: &HeaderName, value: &HeaderValue, out: &mut Vec<u8>) {
    let (name, value) = (name.as_str(), value.as_str());
    if name.is_empty() || !all_in(name, &TOKEN) {
        log::warn!("response field left out: {name:?} is not a field name");
    } else if !all_in(value, &IN_LINE) {
        log::warn!("response field `{name}` left out: its value has a line end or a NUL");
    } else {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(response: &Response, method: Method, persistence: Persistence) -> String {
        let body = BodyKind::of(response, method, false);
        let mut out = Vec::new();
        ResponseHead {
            response,
            method,
            body,
            persistence,
        }
        .write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_value_breaks_out_of_its_line() {
        let mut response = Response::new(200);
        response.insert_header("x-one", "a\r\nset-cookie: b");
        response.insert_header("x-two\r\nx", "c");
        response.insert_header("x-three", "d\0");
        response.insert_header("x-four", "e");
        let head = head(&response, Method::Get, Persistence::Keep);
        assert!(head.contains("x-four: e\r\n"), "{head}");
        for absent in ["set-cookie", "x-two", "x-three"] {
            assert!(!head.contains(absent), "{head}");
        }
    }

    #[test]
    fn the_server_alone_frames() {
        let mut response = Response::new(200);
        response.set_body("hello");
        response.insert_header("content-length", "7");
        response.insert_header("transfer-encoding", "chunked");
        response.insert_header("connection", "keep-alive");
        response.insert_header("keep-alive", "timeout=5");
        let head = head(&response, Method::Get, Persistence::Close);
        assert!(head.contains("\r\ncontent-length: 5\r\n"), "{head}");
        assert!(head.ends_with("\r\nconnection: close\r\n\r\n"), "{head}");
        for absent in ["content-length: 7", "transfer-encoding", "keep-alive"] {
            assert!(!head.contains(absent), "{head}");
        }
    }

    #[test]
    fn bodies_are_framed_by_method_and_status() {
        let table = [
            (200, Method::Get, "content-length: 5", BodyKind::Length(5)),
            (200, Method::Head, "content-length: 5", BodyKind::Nothing),
            (204, Method::Get, "", BodyKind::Nothing),
            (304, Method::Get, "", BodyKind::Nothing),
            (500, Method::Get, "content-length: 5", BodyKind::Length(5)),
        ];
        for (status, method, line, kind) in table {
            let mut response = Response::new(status);
            response.set_body("hello");
            assert_eq!(BodyKind::of(&response, method, false), kind);
            let head = head(&response, method, Persistence::Keep);
            assert!(head.contains(line), "{head}");
            assert_eq!(head.contains("content-length"), !line.is_empty(), "{head}");
        }
    }

    #[test]
    fn numbers_are_decimal() {
        for value in [0, 7, 10, 12_345, u64::MAX] {
            let mut out = Vec::new();
            number(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }
}
