//! From the bytes of a request's head to a `Request` and how its body is framed.

use std::mem::MaybeUninit;

use http_types::headers::HeaderName;
use http_types::{Method, Request, Version};

use super::names::header_name;
use super::target::{Targets, check_host};
use super::{MAX_HEADERS, Refusal};

/// Where a request's body ends (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Framing {
    /// There is none.
    Empty,
    /// After this many bytes, at least one.
    Length(u64),
    /// After the last chunk.
    Chunked,
}

/// What the server has to know of a request whose head is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Head {
    pub(in crate::http) method: Method,
    pub(in crate::http) framing: Framing,
    /// Whether the client would keep the connection (RFC 9112, 9.3).
    pub(in crate::http) keep_alive: bool,
    /// Whether the client waits for `100 Continue` (RFC 9110, 10.1.1).
    pub(in crate::http) expects_continue: bool,
    /// Whether the request is of HTTP/1.0.
    pub(in crate::http) old: bool,
    /// How many bytes the head took.
    pub(in crate::http) length: usize,
}

/// Parses the head at the start of `bytes`; `None` if it is not whole yet.
///
/// The request, its body still to be attached, is put into `place`, where it can stay: it is some
/// hundreds of bytes, which every return and every wrapper would copy.
///
/// # Errors
///
/// What to answer before closing. The same however the bytes were cut into reads.
#[inline(always)]
pub(super) fn parse(
    bytes: &[u8],
    targets: &mut Targets,
    place: &mut Option<Request>,
) -> Result<Option<Head>, Refusal> {
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
    let old = raw.version == Some(0);
    let method = method(raw.method.unwrap_or_default())?;
    let semantics = Semantics::read(raw.headers)?;
    let (framing, expects_continue) = semantics.check(old)?;
    let target = raw.path.unwrap_or_default();
    let trailers = framing == Framing::Chunked;
    let request = place.insert(targets.request(method, semantics.host, target, trailers)?);
    request.set_version(Some(if old {
        Version::Http1_0
    } else {
        Version::Http1_1
    }));
    for field in raw.headers.iter() {
        insert(request, field)?;
    }
    Ok(Some(Head {
        method,
        framing,
        keep_alive: !semantics.close && (!old || semantics.keep_alive),
        expects_continue,
        old,
        length,
    }))
}

/// httparse takes a lone LF for a line's end; a peer in front of us may not.
///
/// Looks at every byte without a branch, so that many are looked at at once.
fn has_bare_line_feed(head: &[u8]) -> bool {
    let bare = |(byte, previous): (&u8, &u8)| (*byte == b'\n') & (*previous != b'\r');
    let pairs = head.iter().skip(1).zip(head);
    head.starts_with(b"\n") | pairs.fold(false, |found, pair| found | bare(pair))
}

/// Methods are case-sensitive (RFC 9110, 9.1); `http_types` would take any case, and allocate.
fn method(name: &str) -> Result<Method, Refusal> {
    Ok(match name {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "HEAD" => Method::Head,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => other
            .parse()
            .ok()
            .filter(|method: &Method| method.as_ref() == other)
            .ok_or(Refusal::unknown("unknown method"))?,
    })
}

/// The fields that decide what the server does, before any of them is copied.
#[derive(Debug, Default)]
struct Semantics<'a> {
    host: Option<&'a str>,
    length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
    expect: Option<&'a [u8]>,
}

impl<'a> Semantics<'a> {
    fn read(fields: &[httparse::Header<'a>]) -> Result<Self, Refusal> {
        let mut found = Self::default();
        for field in fields {
            found.field(field.name, field.value)?;
        }
        Ok(found)
    }

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
            6 if is("expect") => self.expect = Some(value),
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
                if !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Refusal::unknown("unknown transfer coding"));
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) {
        for option in value.split(|&byte| byte == b',') {
            let option = option.trim_ascii();
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// The body's framing, and whether `100 Continue` is waited for.
    fn check(&self, old: bool) -> Result<(Framing, bool), Refusal> {
        if self.host.is_none() && !old {
            return Err(Refusal::malformed("no host"));
        }
        let framing = match (self.chunked, self.length) {
            (true, Some(_)) => {
                return Err(Refusal::malformed("transfer-encoding and content-length"));
            }
            // RFC 9112, 6.1: an HTTP/1.0 sender does not know the coding, its framing is faulty.
            (true, None) if old => return Err(Refusal::malformed("transfer-encoding in HTTP/1.0")),
            (true, None) => Framing::Chunked,
            (false, None | Some(0)) => Framing::Empty,
            (false, Some(length)) => Framing::Length(length),
        };
        match self.expect {
            // RFC 9110, 10.1.1: in HTTP/1.0 it is ignored; without a body there is nothing to wait for.
            None => Ok((framing, false)),
            Some(_) if old => Ok((framing, false)),
            Some(value) if value.eq_ignore_ascii_case(b"100-continue") => {
                Ok((framing, framing != Framing::Empty))
            }
            Some(_) => Err(Refusal::expectation()),
        }
    }
}

/// One run of digits, nothing else (RFC 9110, 8.6).
fn content_length(value: &[u8]) -> Result<u64, Refusal> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::malformed("bad content-length"));
    }
    std::str::from_utf8(value)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or(Refusal::malformed("bad content-length"))
}

/// Copies a field into the request: its value and the list around it are the only allocations.
fn insert(request: &mut Request, field: &httparse::Header<'_>) -> Result<(), Refusal> {
    let name = header_name(field.name).ok_or(Refusal::malformed("bad field name"))?;
    let escaped;
    let value = match std::str::from_utf8(field.value) {
        Ok(value) if value.is_ascii() => value,
        _ => {
            escaped = escape(field.value);
            &escaped
        }
    };
    // A repeated name is rare: insert first, and put together what it replaced.
    if let Some(mut values) = request.insert_header(name, value) {
        let name: HeaderName =
            header_name(field.name).ok_or(Refusal::malformed("bad field name"))?;
        if let Some(slot) = request.header_mut(name) {
            values.append(slot);
            *slot = values;
        }
    }
    Ok(())
}

/// `http_types` holds ASCII values only, and panics on others; browsers do send cookies in UTF-8.
/// Their bytes are passed on percent-encoded rather than refused.
fn escape(value: &[u8]) -> String {
    let mut escaped = String::with_capacity(value.len() * 3);
    for &byte in value {
        if byte.is_ascii() {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// What a parse error is answered with.
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

/// Whether the request line ends in `HTTP/` and a digit, as far as it has come.
fn names_other_version(bytes: &[u8]) -> bool {
    let line = bytes.trim_ascii_start();
    let line = line.split(|&byte| byte == b'\r' || byte == b'\n').next();
    line.and_then(|line| line.split(|&byte| byte == b' ').nth(2))
        .and_then(|version| version.strip_prefix(b"HTTP/"))
        .and_then(<[u8]>::first)
        .is_some_and(u8::is_ascii_digit)
}
