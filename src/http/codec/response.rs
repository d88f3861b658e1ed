//! Writing the head of a response, and the end of a chunked body.

use ::http::{HeaderMap, StatusCode};

use super::chunked::may_trail;
use super::date;
use super::field::{field, line};
use super::method::MethodKind;
use super::refusal::Refusal;

/// What the head of a response says.
#[allow(
    unreachable_pub,
    reason = "Rust 1.85 does not see that it can be reached by way of `App`"
)]
pub trait AnswerHead {
    /// Whether every field is known to stay in its line.
    const IS_CHECKED: bool;

    fn status(&self) -> StatusCode;

    /// Returns the length of the body, if it is known.
    fn length(&self) -> Option<u64>;

    /// Calls a function for each line of the head: a name and a value.
    fn visit_fields(&self, field: impl FnMut(&str, &[u8]));
}

/// How the end of a response's body is shown (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum ResponseFraming {
    /// There is no body, even if the handler has set one: HEAD, 1xx, 204, 304, and the 2xx of CONNECT.
    Empty,
    /// After n bytes.
    Length(u64),
    /// After the last chunk.
    Chunked,
    /// When the connection closes: to HTTP/1.0, if the length is unknown.
    UntilClose,
}

impl ResponseFraming {
    /// Returns the framing of a response to a request of that method and version.
    pub(in crate::http) fn of(
        answer: &impl AnswerHead,
        method: MethodKind,
        is_http10: bool,
    ) -> Self {
        let status = answer.status();
        let bodiless = status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || method == MethodKind::Head
            || method == MethodKind::Connect && status.is_success();
        if bodiless {
            return Self::Empty;
        }
        match answer.length() {
            // RFC 9110, 15.3.6.
            _ if status == StatusCode::RESET_CONTENT => Self::Length(0),
            Some(length) => Self::Length(length),
            None if is_http10 => Self::UntilClose,
            None => Self::Chunked,
        }
    }
}

/// What a response says about its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Persistence {
    /// It stays open. HTTP/1.1 need not say so.
    Keep,
    /// It stays open, said to an HTTP/1.0 client that has asked for it.
    KeepSaid,
    /// It closes after this response.
    Close,
    /// It is no longer HTTP: the handler's own `Connection` field is sent.
    Upgrade,
}

/// A response's head, ready to be written.
#[derive(Debug)]
pub(in crate::http) struct ResponseHead<'a, A> {
    pub(in crate::http) answer: &'a A,
    pub(in crate::http) method: MethodKind,
    pub(in crate::http) framing: ResponseFraming,
    pub(in crate::http) persistence: Persistence,
}

/// What the handler's fields say to the server.
#[derive(Default)]
struct Seen {
    date: bool,
    close: bool,
    /// The length that GET would have.
    length: Option<u64>,
}

impl<A: AnswerHead> ResponseHead<'_, A> {
    /// Appends the head to `out`, and returns what it says about the connection: the handler may
    /// have asked for a close.
    ///
    /// Only the server writes the fields that frame the message; a handler's are left out. A field
    /// that would end its line early is left out too, with a log record.
    #[inline(always)]
    pub(in crate::http) fn write(&self, out: &mut Vec<u8>) -> Persistence {
        status_line(self.answer.status(), out);
        let seen = self.write_fields(out);
        if !seen.date {
            out.extend_from_slice(b"date: ");
            date::write(out);
            out.extend_from_slice(b"\r\n");
        }
        self.write_framing(seen.length, out);
        let persistence = match seen.close {
            true => Persistence::Close,
            false => self.persistence,
        };
        out.extend_from_slice(match persistence {
            Persistence::Close => b"connection: close\r\n\r\n",
            Persistence::KeepSaid => b"connection: keep-alive\r\n\r\n",
            Persistence::Keep | Persistence::Upgrade => b"\r\n",
        });
        persistence
    }

    /// Appends the handler's fields.
    #[inline(always)]
    fn write_fields(&self, out: &mut Vec<u8>) -> Seen {
        let mut seen = Seen::default();
        self.answer.visit_fields(|name, value| {
            match name {
                "content-length" if self.method == MethodKind::Head => {
                    let digits = std::str::from_utf8(value).ok();
                    seen.length = digits.and_then(|digits| digits.parse().ok());
                    return;
                }
                "content-length" | "transfer-encoding" | "keep-alive" => return,
                "connection" if self.persistence != Persistence::Upgrade => {
                    seen.close |= names_close(value);
                    return;
                }
                "date" => seen.date = true,
                _ => {}
            }
            if A::IS_CHECKED {
                line(name, value, out);
            } else {
                field(name, value, out);
            }
        });
        seen
    }

    /// Returns true if GET would be answered with no content, and its length.
    fn is_reset_head(&self) -> bool {
        self.method == MethodKind::Head && self.answer.status() == StatusCode::RESET_CONTENT
    }

    /// Returns true if GET would be answered with a length.
    fn may_have_length(&self) -> bool {
        let status = self.answer.status();
        let is_bare = matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT);
        !status.is_informational() && !is_bare
    }

    /// Appends the field that frames the body. `set` is the length that the handler has set.
    fn write_framing(&self, set: Option<u64>, out: &mut Vec<u8>) {
        match self.framing {
            ResponseFraming::Length(length) => content_length(length, out),
            ResponseFraming::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
            ResponseFraming::UntilClose => {}
            // RFC 9110, 8.6: to HEAD the length that GET would have, to 1xx and 204 none.
            ResponseFraming::Empty if self.is_reset_head() => content_length(0, out),
            ResponseFraming::Empty if self.method == MethodKind::Head && self.may_have_length() => {
                // A body of no byte may stand for one that was left out: its length is then not known.
                match (set, self.answer.length()) {
                    (Some(length), None | Some(0)) | (_, Some(length @ 1..)) => {
                        content_length(length, out);
                    }
                    (None, None | Some(0)) => {}
                }
            }
            ResponseFraming::Empty => {}
        }
    }
}

/// Appends the whole response to a message that is not served, with `Connection: close`.
pub(in crate::http) fn write_refusal(refusal: Refusal, out: &mut Vec<u8>) {
    let body = match refusal.to_head {
        true => "",
        false => refusal.reason,
    };
    status_line(refusal.status, out);
    if !body.is_empty() {
        out.extend_from_slice(b"content-type: text/plain;charset=utf-8\r\n");
    }
    out.extend_from_slice(b"date: ");
    date::write(out);
    out.extend_from_slice(b"\r\n");
    if !refusal.to_head {
        content_length(body.len() as u64, out);
    }
    out.extend_from_slice(b"connection: close\r\n\r\n");
    out.extend_from_slice(body.as_bytes());
}

/// Appends the last chunk of a body, with its trailers.
pub(in crate::http) fn write_last_chunk(trailers: Option<&HeaderMap>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers.into_iter().flatten() {
        if may_trail(name.as_str()) {
            line(name.as_str(), value.as_bytes(), out);
        } else {
            log::warn!(target: "neap", event = "field left out", field = name.as_str(); "trailer `{name}` left out: it can be no trailer");
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Returns true if the value of a `Connection` field has the option `close`.
fn names_close(value: &[u8]) -> bool {
    value
        .split(|&byte| byte == b',')
        .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}

fn status_line(status: StatusCode, out: &mut Vec<u8>) {
    if status == StatusCode::OK {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    number(u64::from(status.as_u16()), out);
    out.push(b' ');
    // One without a name has none: the space stays (RFC 9112, 4).
    out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn content_length(length: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"content-length: ");
    number(length, out);
    out.extend_from_slice(b"\r\n");
}

/// Appends a number in decimal, without a `String`.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A response of which nothing but the head is asked for.
    struct Plain {
        status: u16,
        length: Option<u64>,
        fields: Vec<(&'static str, &'static str)>,
    }

    fn hello(status: u16) -> Plain {
        Plain {
            status,
            length: Some(5),
            fields: Vec::new(),
        }
    }

    impl AnswerHead for Plain {
        const IS_CHECKED: bool = false;

        fn status(&self) -> StatusCode {
            StatusCode::from_u16(self.status).unwrap()
        }

        fn length(&self) -> Option<u64> {
            self.length
        }

        fn visit_fields(&self, mut field: impl FnMut(&str, &[u8])) {
            for (name, value) in &self.fields {
                field(name, value.as_bytes());
            }
        }
    }

    fn head(answer: &Plain, method: MethodKind, persistence: Persistence) -> String {
        let framing = ResponseFraming::of(answer, method, false);
        let mut out = Vec::new();
        ResponseHead {
            answer,
            method,
            framing,
            persistence,
        }
        .write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_value_breaks_out_of_its_line() {
        let mut response = hello(200);
        response.fields = vec![
            ("x-one", "a\r\nset-cookie: b"),
            ("x-two\r\nx", "c"),
            ("x-three", "d\0"),
            ("x-four", "e"),
        ];
        let head = head(&response, MethodKind::Other, Persistence::Keep);
        assert!(head.contains("x-four: e\r\n"), "{head}");
        for absent in ["set-cookie", "x-two", "x-three"] {
            assert!(!head.contains(absent), "{head}");
        }
    }

    #[test]
    fn the_server_alone_frames() {
        let mut response = hello(200);
        response.fields = vec![
            ("content-length", "7"),
            ("transfer-encoding", "chunked"),
            ("connection", "keep-alive"),
            ("keep-alive", "timeout=5"),
        ];
        let head = head(&response, MethodKind::Other, Persistence::Close);
        assert!(head.contains("\r\ncontent-length: 5\r\n"), "{head}");
        assert!(head.ends_with("\r\nconnection: close\r\n\r\n"), "{head}");
        for absent in ["content-length: 7", "transfer-encoding", "keep-alive"] {
            assert!(!head.contains(absent), "{head}");
        }
    }

    #[test]
    fn bodies_are_framed_by_method_and_status() {
        use ResponseFraming::{Empty, Length};
        let table = [
            (200, MethodKind::Other, "content-length: 5", Length(5)),
            (200, MethodKind::Head, "content-length: 5", Empty),
            (204, MethodKind::Other, "", Empty),
            (304, MethodKind::Other, "", Empty),
            (500, MethodKind::Other, "content-length: 5", Length(5)),
            (299, MethodKind::Other, "HTTP/1.1 299 \r\n", Length(5)),
        ];
        for (status, method, line, framing) in table {
            let response = hello(status);
            assert_eq!(ResponseFraming::of(&response, method, false), framing);
            let head = head(&response, method, Persistence::Keep);
            assert!(head.contains(line), "{head}");
            assert_eq!(head.contains("content-length"), !line.is_empty(), "{head}");
        }
    }

    #[test]
    fn what_frames_is_no_trailer() {
        let mut trailers = HeaderMap::new();
        trailers.insert("content-length", ::http::HeaderValue::from_static("7"));
        trailers.insert("x-sum", ::http::HeaderValue::from_static("8"));
        let mut out = Vec::new();
        write_last_chunk(Some(&trailers), &mut out);
        assert_eq!(out, b"0\r\nx-sum: 8\r\n\r\n");
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
