//! Parsing one request head: from its bytes to its parts and the facts the server needs.

use std::mem::MaybeUninit;

use super::host::check_host;
use super::method::MethodKind;
use super::refusal::Refusal;
use super::target::{TargetForm, form_of};
use super::token::token;

/// The most fields a head may have; a head with more is answered with 431.
pub(super) const MAX_HEADERS: usize = 100;

/// How the end of a request's body is found (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum RequestFraming {
    /// There is no body.
    Empty,
    /// After n bytes, at least one.
    Length(u64),
    /// After the last chunk.
    Chunked,
}

/// What the server must know of a request whose head is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct RequestHead {
    pub(in crate::http) method: MethodKind,
    pub(in crate::http) framing: RequestFraming,
    /// Whether the client is ready to keep the connection (RFC 9112, 9.3).
    pub(in crate::http) keep_alive: bool,
    /// Whether the client waits for `100 Continue` (RFC 9110, 10.1.1).
    pub(in crate::http) expects_continue: bool,
    /// Whether the client asks for another protocol (RFC 9110, 7.8).
    pub(in crate::http) asks_upgrade: bool,
    /// Whether the version is HTTP/1.0, not 1.1.
    pub(in crate::http) is_http10: bool,
    /// The length of the head, in bytes.
    pub(in crate::http) length: usize,
}

/// A request's head as it stands in the buffer, checked.
#[derive(Debug, Clone, Copy)]
pub struct RawHead<'b> {
    /// All of the head.
    pub(in crate::http) bytes: &'b [u8],
    /// A token.
    pub(in crate::http) method: &'b str,
    pub(in crate::http) target: &'b str,
    pub(in crate::http) form: TargetForm,
    /// The `Host`, which may be empty; `None` in HTTP/1.0 only.
    pub(in crate::http) host: Option<&'b str>,
    pub(in crate::http) fields: &'b [httparse::Header<'b>],
    pub(in crate::http) facts: RequestHead,
}

/// Parses the head at the start of `bytes`, and has `make` make a request of it; returns `None` if it is
/// not complete yet.
///
/// # Errors
///
/// What to answer before closing. It is the same however the bytes were split into reads. What `make`
/// refuses is refused last.
#[inline(always)]
pub(in crate::http) fn parse(
    bytes: &[u8],
    make: impl FnOnce(&RawHead<'_>) -> Result<(), Refusal>,
) -> Result<Option<RequestHead>, Refusal> {
    let mut fields = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut raw = httparse::Request::new(&mut []);
    let length = match raw.parse_with_uninit_headers(bytes, &mut fields) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(refusal(error, bytes)),
    };
    if has_bare_line_feed(&bytes[..length]) {
        return Err(Refusal::malformed("line not ended by CRLF"));
    }
    let semantics = Semantics::read(raw.headers)?;
    let (method, target) = (raw.method.unwrap_or_default(), raw.path.unwrap_or_default());
    let facts = semantics.facts(method, raw.version == Some(0), length)?;
    let form = form_of(method, target)?;
    // That something is not known is said only of a head without a fault.
    semantics.unknown.map_or(Ok(()), Err)?;
    make(&RawHead {
        bytes: &bytes[..length],
        method,
        target,
        form,
        host: semantics.host,
        fields: raw.headers,
        facts,
    })?;
    Ok(Some(facts))
}

/// Returns true if a line ends in LF without CR: httparse accepts that, a proxy in front of the
/// server may not.
///
/// There is no branch per byte, so that the compiler can look at many bytes at once.
fn has_bare_line_feed(head: &[u8]) -> bool {
    let bare = |(byte, previous): (&u8, &u8)| (*byte == b'\n') & (*previous != b'\r');
    let pairs = head.iter().skip(1).zip(head);
    head.starts_with(b"\n") | pairs.fold(false, |found, pair| found | bare(pair))
}

/// The fields that decide what the server does. They are read before any field is copied.
#[derive(Debug, Default)]
struct Semantics<'a> {
    host: Option<&'a str>,
    length: Option<u64>,
    chunked: bool,
    /// What the server does not know, though it is no fault.
    unknown: Option<Refusal>,
    close: bool,
    keep_alive: bool,
    upgrade: bool,
    expects_continue: bool,
    /// Whether the client expects what the server does not know, also beside `100-continue`.
    expects_other: bool,
}

impl<'a> Semantics<'a> {
    /// Reads all fields.
    fn read(fields: &[httparse::Header<'a>]) -> Result<Self, Refusal> {
        let mut found = Self::default();
        for field in fields {
            found.field(field.name, field.value)?;
        }
        Ok(found)
    }

    /// Reads one field.
    fn field(&mut self, name: &str, value: &'a [u8]) -> Result<(), Refusal> {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        match name.len() {
            4 if is("host") => {
                let host =
                    std::str::from_utf8(value).map_err(|_| Refusal::malformed("bad host"))?;
                check_host(host)?;
                if self.host.replace(host).is_some() {
                    return Err(Refusal::malformed("more than one host"));
                }
            }
            6 if is("expect") => match value.eq_ignore_ascii_case(b"100-continue") {
                true => self.expects_continue = true,
                false => self.expects_other = true,
            },
            10 if is("connection") => self.connection(value),
            14 if is("content-length") => {
                let length = content_length(value)?;
                if self.length.replace(length).is_some() {
                    return Err(Refusal::malformed("more than one content-length"));
                }
            }
            17 if is("transfer-encoding") => {
                if self.chunked {
                    return Err(Refusal::malformed("more than one transfer-encoding"));
                }
                self.unknown = check_coding(value)?;
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads the options of a `Connection` field.
    fn connection(&mut self, value: &[u8]) {
        for option in value.split(|&byte| byte == b',') {
            let option = option.trim_ascii();
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            self.upgrade |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }

    /// Returns what the server must know of the request.
    fn facts(&self, method: &str, is_http10: bool, length: usize) -> Result<RequestHead, Refusal> {
        let (framing, expects_continue) = self.check(is_http10)?;
        Ok(RequestHead {
            method: match method {
                "HEAD" => MethodKind::Head,
                "CONNECT" => MethodKind::Connect,
                _ => MethodKind::Other,
            },
            framing,
            keep_alive: !self.close && (!is_http10 || self.keep_alive),
            expects_continue,
            asks_upgrade: self.upgrade && !is_http10,
            is_http10,
            length,
        })
    }

    /// Returns the framing of the body, and whether the client waits for `100 Continue`.
    fn check(&self, is_http10: bool) -> Result<(RequestFraming, bool), Refusal> {
        if self.host.is_none() && !is_http10 {
            return Err(Refusal::malformed("no host"));
        }
        let framing = match (self.chunked, self.length) {
            (true, Some(_)) => {
                return Err(Refusal::malformed("transfer-encoding and content-length"));
            }
            // RFC 9112, 6.1: HTTP/1.0 does not have the coding, so the framing is faulty.
            (true, None) if is_http10 => {
                return Err(Refusal::malformed("transfer-encoding in HTTP/1.0"));
            }
            (true, None) => RequestFraming::Chunked,
            (false, None | Some(0)) => RequestFraming::Empty,
            (false, Some(length)) => RequestFraming::Length(length),
        };
        // RFC 9110, 10.1.1: HTTP/1.0 ignores it; without a body there is nothing to wait for.
        if self.expects_other && !is_http10 {
            return Err(Refusal::expectation());
        }
        let has_body = framing != RequestFraming::Empty;
        Ok((framing, self.expects_continue && has_body && !is_http10))
    }
}

/// Checks a `Transfer-Encoding` (RFC 9112, 6.1 and 6.3). Returns the refusal of one that names a coding
/// beside `chunked`.
///
/// # Errors
///
/// The end of the body could not be known, as `chunked` is not last, or comes twice; or it is no list.
fn check_coding(value: &[u8]) -> Result<Option<Refusal>, Refusal> {
    if value.eq_ignore_ascii_case(b"chunked") {
        return Ok(None);
    }
    let mut codings = value.rsplit(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    let is_last = codings.next().is_some_and(is_chunked);
    let is_other = |coding: &[u8]| {
        let name = coding.split(|&byte| byte == b';').next();
        let name = name.unwrap_or_default().trim_ascii_end();
        !name.is_empty() && token(name) == name.len() && !is_chunked(name)
    };
    if !is_last || !codings.all(is_other) {
        return Err(Refusal::malformed("transfer coding without an end"));
    }
    Ok(Some(Refusal::unknown("unknown transfer coding")))
}

/// Parses a `Content-Length`: one run of digits, nothing else (RFC 9110, 8.6).
pub(super) fn content_length(value: &[u8]) -> Result<u64, Refusal> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::malformed("bad content-length"));
    }
    std::str::from_utf8(value)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or(Refusal::malformed("bad content-length"))
}

/// Returns the answer to a parse error.
fn refusal(error: httparse::Error, bytes: &[u8]) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => Refusal::head_too_long(),
        httparse::Error::Version if names_other_version(bytes) => Refusal::version(),
        httparse::Error::Version => Refusal::malformed("bad version"),
        httparse::Error::Token => Refusal::malformed("bad request line"),
        httparse::Error::HeaderName => Refusal::malformed("bad field name"),
        httparse::Error::HeaderValue => Refusal::malformed("bad field value"),
        _ => Refusal::malformed("bad line end"),
    }
}

/// Returns true if the third part of the request line begins with `HTTP/` and a digit.
fn names_other_version(bytes: &[u8]) -> bool {
    let line = bytes.trim_ascii_start();
    let line = line.split(|&byte| byte == b'\r' || byte == b'\n').next();
    line.and_then(|line| line.split(|&byte| byte == b' ').nth(2))
        .and_then(|version| version.strip_prefix(b"HTTP/"))
        .and_then(<[u8]>::first)
        .is_some_and(u8::is_ascii_digit)
}
