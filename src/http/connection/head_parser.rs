//! The parser of one connection's heads, one after the other.

use std::sync::Arc;

use crate::http::codec::{Refusal, RequestFraming, RequestHead, parse};
use crate::http::door::Door;
use crate::http::request_context::Arrival;

/// The longest head that is remembered, in bytes.
const REMEMBERED: usize = 2048;

/// Parses the heads of one connection, and recognises one that is repeated.
///
/// Many clients send the same head again and again: probes, pollers, pooled connections of another
/// service. The same bytes make the same request, so from the third time on a head is not parsed,
/// and its fields are not copied one by one into a growing map: the request is cloned. A client that
/// sends a different head each time costs one comparison and one copy of the bytes per request.
pub(in crate::http) struct HeadParser<D: Door> {
    memory: D::Memory,
    /// The bytes of the last head; empty if that head is not remembered.
    last: Vec<u8>,
    /// The result for `last`, once it has come twice.
    parsed: Option<Box<(RequestHead, D::Request)>>,
}

impl<D: Door> HeadParser<D> {
    /// Makes the parser of a connection that arrived so.
    pub(in crate::http) fn new(arrival: &Arc<Arrival>) -> Self {
        Self {
            memory: D::memory(arrival),
            last: Vec::new(),
            parsed: None,
        }
    }

    /// Parses the head at the start of `bytes`; returns `None` if it is not complete yet.
    ///
    /// The request is put into `slot`; the caller attaches the body.
    ///
    /// # Errors
    ///
    /// What to answer before closing. It is the same however the bytes were split into reads.
    #[inline(always)]
    pub(in crate::http) fn parse(
        &mut self,
        bytes: &[u8],
        slot: &mut Option<D::Request>,
    ) -> Result<Option<RequestHead>, Refusal> {
        if let Some(parsed) = &self.parsed {
            if bytes.starts_with(&self.last) {
                *slot = Some(D::copy(&parsed.1));
                return Ok(Some(parsed.0));
            }
        }
        let memory = &mut self.memory;
        let head = parse(bytes, |head| D::request(memory, head, slot))?;
        if let (Some(head), Some(request)) = (head, slot) {
            self.remember(&bytes[..head.length], head, request);
        }
        Ok(head)
    }

    /// Remembers a head: its bytes the first time, its request the second time.
    fn remember(&mut self, bytes: &[u8], head: RequestHead, request: &D::Request) {
        if self.last == bytes {
            self.parsed = Some(Box::new((head, D::copy(request))));
            return;
        }
        self.parsed = None;
        self.last.clear();
        // A request with trailers has a channel for them, which a clone would lack.
        if bytes.len() <= REMEMBERED && head.framing != RequestFraming::Chunked {
            self.last.extend_from_slice(bytes);
        }
    }

    /// Frees what is remembered, so that an idle connection stays small.
    pub(in crate::http) fn forget(&mut self) {
        D::forget(&mut self.memory);
        self.last = Vec::new();
        self.parsed = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::service::{Body, ServiceDoor};

    fn parser<D: Door>() -> HeadParser<D> {
        HeadParser::new(&Arc::new(Arrival::from_nowhere()))
    }

    fn parse_one<D: Door>(
        parser: &mut HeadParser<D>,
        bytes: &str,
    ) -> Option<(RequestHead, D::Request)> {
        let mut slot = None;
        let head = parser.parse(bytes.as_bytes(), &mut slot).unwrap()?;
        slot.map(|request| (head, request))
    }

    /// Checks a door, where `visible` is everything of a request that a handler can see.
    fn check<D: Door>(visible: impl Fn(&D::Request) -> String) {
        let heads = [
            "GET /a?b HTTP/1.1\r\nhost: a\r\nx-one: 1\r\nx-one: 2\r\ncookie: ä\r\n\r\n",
            "GET /a?c HTTP/1.1\r\nhost: a\r\nx-one: 1\r\nx-one: 2\r\ncookie: ä\r\n\r\n",
            "POST /c HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n",
            "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n",
            "GET http://c:1/x HTTP/1.1\r\nhost: b\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nhost: b\r\n\r\n",
            // Hosts that `Uri` does not take.
            "GET http://%2ey?* HTTP/1.1\r\nhost: b\r\n\r\n",
            "GET http://a%2ey/x HTTP/1.1\r\nhost: b\r\n\r\n",
            "CONNECT a%2ey:443 HTTP/1.1\r\nhost: b\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: b\r\ntransfer-encoding: chunked\r\n\r\n",
        ];
        let mut kept = parser::<D>();
        for head in heads {
            let (afresh, request) = parse_one(&mut parser::<D>(), head).unwrap();
            for time in 1..=4 {
                let repeated = parse_one(&mut kept, &format!("{head}more bytes")).unwrap();
                assert_eq!(
                    (repeated.0, visible(&repeated.1)),
                    (afresh, visible(&request))
                );
                assert_eq!(kept.parsed.is_some(), time > 1 && !head.contains("chunked"));
                assert!(parse_one(&mut kept, &head[..head.len() - 1]).is_none());
            }
        }
        kept.forget();
        assert!(kept.parsed.is_none() && kept.last.is_empty());
    }

    /// Checks heads that are like the one before.
    fn check_alike<D: Door>(visible: impl Fn(&D::Request) -> String) {
        let head = |target: &str, fields: &str| {
            let fields = fields.replace('|', "\r\n");
            format!("GET {target} HTTP/1.1\r\n{fields}\r\n\r\n")
        };
        let heads = [
            head("/a", "host: a|x-one: 1|accept: b"),
            head("/a?b", "host: a|x-one: 2|accept: b"),
            head("/c/d", "Host: a|X-One: 3|Accept: b"),
            head("/c/d", "host: a|x-one: \u{e4}|accept: b"),
            head("/c/d", "host: a|x-one: |accept: b"),
            head("/c/d", "host: a|accept: b|x-one: 3"),
            head("/c/d", "host: b|accept: b|x-one: 3"),
            head("/c/d", "host: b|accept: b|x-two: 3"),
            head("/c/d", "host: b|accept: b|accept: 3"),
            head("/c/d", "host: b|accept: c|accept: 4"),
            head("/c/d", "host: b|accept: c|x-two: 4|cookie: a"),
            head("http://c/d", "host: b|accept: c|x-two: 4|cookie: a"),
            head("/c/d", "host: b|accept: c|x-two: 4|cookie: b"),
            head("/c/d", "host: b|accept: c|x-two: 4|content-length: 5"),
            head("/c/d", "host: b|accept: c|x-two: 4|content-length: 6"),
        ];
        // Each behind each other, and in between those that came before.
        for first in &heads {
            let mut kept = parser::<D>();
            for second in &heads {
                for head in [first, first, second, second, first, second] {
                    let (afresh, request) = parse_one(&mut parser::<D>(), head).unwrap();
                    let again = parse_one(&mut kept, head).unwrap();
                    let again = (again.0, visible(&again.1));
                    assert_eq!(again, (afresh, visible(&request)), "{first} {second}");
                }
            }
        }
    }

    fn visible(request: &::http::Request<Body>) -> String {
        let (method, uri, version) = (request.method(), request.uri(), request.version());
        format!("{method} {uri} {version:?} {:?}", request.headers())
    }

    #[test]
    fn a_repeated_head_is_the_head_parsed_afresh() {
        check::<ServiceDoor<Body>>(visible);
        check_alike::<ServiceDoor<Body>>(visible);
    }

    #[cfg(feature = "tide")]
    #[test]
    fn a_repeated_head_is_the_head_parsed_afresh_for_tide() {
        let visible = |request: &http_types::Request| {
            let mut fields: Vec<_> = request.iter().map(|field| format!("{field:?}")).collect();
            fields.sort();
            let (method, url, version) = (request.method(), request.url(), request.version());
            let ends = (request.local_addr(), request.peer_addr());
            format!("{method} {url} {version:?} {ends:?} {fields:?}")
        };
        check::<crate::http::tide::TideDoor>(visible);
        check_alike::<crate::http::tide::TideDoor>(visible);
    }
}
