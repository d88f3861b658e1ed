//! The heads of one connection, one after the other.

use super::head::{Framing, Head, parse};
use super::{Refusal, Targets};
use crate::net::endpoint::Endpoint;
use http_types::Request;

/// A head longer than this is not remembered, in bytes.
const REMEMBERED: usize = 2048;

/// Parses the heads of one connection, and recognises one that is repeated.
///
/// Clients of a service mostly say the same again: probes, pollers, pooled connections of another
/// service. The same bytes make the same request, so the third time a head comes it is not parsed,
/// nor are its fields copied one by one into a growing map: the request is cloned. A client that says
/// something else each time costs a comparison and a copy of its bytes.
#[derive(Debug)]
pub(in crate::http) struct Heads {
    targets: Targets,
    /// The bytes of the last head; empty if it is not to be remembered.
    last: Vec<u8>,
    /// What they are parsed to, once they have come twice.
    parsed: Option<Box<(Head, Request)>>,
}

impl Heads {
    /// For a connection that arrived at `local` and comes from `peer`.
    pub(in crate::http) fn new(local: &Endpoint, peer: &Endpoint) -> Self {
        Self {
            targets: Targets::new(local, peer),
            last: Vec::new(),
            parsed: None,
        }
    }

    /// Parses the head at the start of `bytes`; `None` if it is not whole yet. The request, its body
    /// still to be attached, is put into `place`.
    ///
    /// # Errors
    ///
    /// What to answer before closing. The same however the bytes were cut into reads.
    #[inline(always)]
    pub(in crate::http) fn next(
        &mut self,
        bytes: &[u8],
        place: &mut Option<Request>,
    ) -> Result<Option<Head>, Refusal> {
        if let Some(parsed) = &self.parsed {
            if bytes.starts_with(&self.last) {
                *place = Some(parsed.1.clone());
                return Ok(Some(parsed.0));
            }
        }
        let head = parse(bytes, &mut self.targets, place)?;
        if let (Some(head), Some(request)) = (head, place) {
            self.remember(&bytes[..head.length], head, request);
        }
        Ok(head)
    }

    fn remember(&mut self, bytes: &[u8], head: Head, request: &Request) {
        if self.last == bytes {
            self.parsed = Some(Box::new((head, request.clone())));
            return;
        }
        self.parsed = None;
        self.last.clear();
        // A request with trailers has a channel for them, which a clone would lack.
        if bytes.len() <= REMEMBERED && head.framing != Framing::Chunked {
            self.last.extend_from_slice(bytes);
        }
    }

    /// Forgets what was said: a connection that has become idle should stay small.
    pub(in crate::http) fn forget(&mut self) {
        self.targets.forget();
        self.last = Vec::new();
        self.parsed = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(heads: &mut Heads, bytes: &str) -> Option<(Head, Request)> {
        let mut place = None;
        let head = heads.next(bytes.as_bytes(), &mut place).unwrap()?;
        place.map(|request| (head, request))
    }

    /// All of a request that a handler can see, its fields sorted.
    fn seen(request: &Request) -> String {
        let mut fields: Vec<_> = request.iter().map(|field| format!("{field:?}")).collect();
        fields.sort();
        let (method, url, version) = (request.method(), request.url(), request.version());
        let ends = (request.local_addr(), request.peer_addr());
        format!("{method} {url} {version:?} {ends:?} {fields:?}")
    }

    #[test]
    fn a_repeated_head_is_the_head_parsed_afresh() {
        let here = Endpoint::Tcp(([127, 0, 0, 1], 80).into());
        let heads = [
            "GET /a?b HTTP/1.1\r\nhost: a\r\nx-one: 1\r\nx-one: 2\r\ncookie: ä\r\n\r\n",
            "GET /a?c HTTP/1.1\r\nhost: a\r\nx-one: 1\r\nx-one: 2\r\ncookie: ä\r\n\r\n",
            "POST /c HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n",
            "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: b\r\ntransfer-encoding: chunked\r\n\r\n",
        ];
        let mut kept = Heads::new(&here, &here);
        for head in heads {
            let (afresh, request) = next(&mut Heads::new(&here, &here), head).unwrap();
            for time in 1..=4 {
                let repeated = next(&mut kept, &format!("{head}what is behind it")).unwrap();
                assert_eq!((repeated.0, seen(&repeated.1)), (afresh, seen(&request)));
                assert_eq!(kept.parsed.is_some(), time > 1 && !head.contains("chunked"));
                assert!(next(&mut kept, &head[..head.len() - 1]).is_none());
            }
        }
        kept.forget();
        assert!(kept.parsed.is_none() && kept.last.is_empty());
    }
}
