//! The parser of one connection's heads, one after the other.

use std::sync::Arc;

use crate::http::codec::{Changes, LastHead, Refusal, RequestHead, parse};
use crate::http::door::Door;
use crate::http::request_context::Arrival;

/// Parses the heads of one connection, and reads those that are like the last one by what has changed.
pub(in crate::http) struct HeadParser<D: Door> {
    memory: D::Memory,
    last: LastHead,
}

impl<D: Door> HeadParser<D> {
    /// Makes the parser of a connection that arrived so.
    pub(in crate::http) fn new(arrival: &Arc<Arrival>) -> Self {
        Self {
            memory: D::memory(arrival),
            last: LastHead::default(),
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
        let Self { memory, last } = self;
        let mut changes = Changes::of(bytes);
        if let Some(head) = last.compare(&mut changes) {
            if D::request_like_last(memory, &changes, slot)? {
                return Ok(Some(head));
            }
        }
        parse(bytes, |head| {
            D::request(memory, head, slot)?;
            last.forget();
            if let (Some(request), true) = (slot, last.is_worth_it(head)) {
                if last.remember(head) && !D::remember(memory, head, request) {
                    last.forget();
                }
            }
            Ok(())
        })
    }

    /// Frees what is remembered, so that an idle connection stays small.
    pub(in crate::http) fn forget(&mut self) {
        D::forget(&mut self.memory);
        self.last = LastHead::default();
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

    /// Heads, with `|` for the ends of lines, and whether they can be remembered.
    const HEADS: [(&str, bool); 12] = [
        ("GET /a?b HTTP/1.1|host: a|x-one: 1|cookie: ä", true),
        ("GET /a?b HTTP/1.1|host: a|x-one: 1|x-one: 2", false),
        ("POST /c HTTP/1.1|host: a|content-length: 3", true),
        (
            "POST /c HTTP/1.1|host: a|content-length: 3|expect: 100-continue",
            false,
        ),
        ("GET / HTTP/1.0|connection: keep-alive", false),
        ("GET / HTTP/1.1|host: b|connection: close", true),
        ("GET http://c:1/x HTTP/1.1|host: b", false),
        ("OPTIONS * HTTP/1.1|host: b", false),
        // Hosts that `Uri` does not take.
        ("GET http://%2ey?* HTTP/1.1|host: b", false),
        ("GET http://a%2ey/x HTTP/1.1|host: b", false),
        ("CONNECT a%2ey:443 HTTP/1.1|host: b", false),
        ("POST / HTTP/1.1|host: b|transfer-encoding: chunked", false),
    ];

    /// Checks a door, where `visible` is everything of a request that a handler can see.
    fn check<D: Door>(visible: impl Fn(&D::Request) -> String) {
        let mut kept = parser::<D>();
        for (head, can_be_remembered) in HEADS {
            let head = &format!("{}\r\n\r\n", head.replace('|', "\r\n"));
            let (afresh, request) = parse_one(&mut parser::<D>(), head).unwrap();
            for time in 1..=4 {
                let repeated = parse_one(&mut kept, &format!("{head}more bytes")).unwrap();
                let repeated = (repeated.0, visible(&repeated.1));
                assert_eq!(repeated, (afresh, visible(&request)));
                let is_known = kept.last.is_known();
                assert_eq!(is_known, time > 1 && can_be_remembered, "{head}");
                assert!(parse_one(&mut kept, &head[..head.len() - 1]).is_none());
            }
            kept.forget();
            assert!(!kept.last.is_known());
        }
    }

    /// What comes of bytes: nothing yet, a request, or why not.
    fn outcome<D: Door>(
        parser: &mut HeadParser<D>,
        bytes: &[u8],
        visible: impl Fn(&D::Request) -> String,
    ) -> Result<Option<(RequestHead, String)>, Refusal> {
        let mut slot = None;
        let head = parser.parse(bytes, &mut slot)?;
        Ok(head.map(|head| (head, visible(&slot.unwrap()))))
    }

    /// What is put into a head.
    const PIECES: [&[u8]; 24] = [
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b":",
        b"\0",
        b"\x7f",
        b"\xff",
        b"a",
        b"/",
        b"?",
        b"..",
        b"#",
        b"5",
        b"x-one: 3\r\n",
        b"host: c\r\n",
        b"Content-Length: 7\r\n",
        b"expect: 100-continue\r\n",
        b"transfer-encoding: chunked\r\n",
        b"HTTP/1.0",
        b"\r\n\r\n",
        b"connection: close\r\n",
        b"\r\n ",
    ];

    /// Checks heads that differ from the one before at random: a parser that remembers must read all as one
    /// that does not.
    fn check_random<D: Door>(visible: impl Fn(&D::Request) -> String) {
        let model = b"POST /a/b?c=d HTTP/1.1\r\nHost: a\r\nX-One: 1\r\naccept: */*\r\ncontent-length: 5\r\n\
            x-two:\t2 \r\nx-three:\r\nconnection: x\r\n\r\n";
        let mut random = fastrand::Rng::with_seed(7);
        let (mut same, mut refused) = (0, 0);
        for _ in 0..20_000 {
            let mut kept = parser::<D>();
            for _ in 0..2 {
                outcome(&mut kept, model, &visible).unwrap();
            }
            assert!(kept.last.is_known());
            let mut bytes = model.to_vec();
            for _ in 0..random.usize(1..=2) {
                let start = random.usize(..bytes.len());
                let end = bytes.len().min(start + random.usize(..4));
                bytes.splice(start..end, random.choice(PIECES).unwrap().iter().copied());
            }
            let afresh = outcome(&mut parser::<D>(), &bytes, &visible);
            refused += usize::from(afresh.is_err());
            let remembered = kept.last.compare(&mut Changes::of(&bytes)).is_some();
            same += usize::from(remembered);
            let again = outcome(&mut kept, &bytes, &visible);
            assert_eq!(again, afresh, "{}", bytes.escape_ascii());
        }
        assert!(same > 300 && refused > 1000, "{same} {refused}");
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
        check_random::<ServiceDoor<Body>>(visible);
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
        check_random::<crate::http::tide::TideDoor>(visible);
    }
}
