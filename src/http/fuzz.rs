//! What the targets in `fuzz/` use beside the public API: the codec as plain data, without I/O, and the
//! operations of a network.

use std::fmt;
use std::sync::Arc;

use ::http::HeaderMap;

use super::codec::{ChunkedDecoder, Progress, Refusal, RequestFraming};
use super::connection::HeadParser;
use super::door::Door;
use super::request_context::Arrival;
use super::service::{Body as HttpBody, ServiceDoor};
use super::tide::TideDoor;
use crate::net::memory::network::Network;

/// Has a function called before each operation of either side on a network.
pub fn observe(network: &Network, observer: impl Fn() + Send + Sync + 'static) {
    network.observe(move |_, _| observer());
}

/// The parser of one connection's heads, for requests of `http_types`.
pub type TideHeads = Heads<TideDoor>;

/// The parser of one connection's heads, for requests of `http`.
pub type ServiceHeads = Heads<ServiceDoor<HttpBody>>;

/// The parser of one connection's heads.
#[expect(missing_debug_implementations, reason = "nothing prints it")]
pub struct Heads<D: Door>(HeadParser<D>);

/// A request's head, and its meaning for the connection.
#[derive(Debug)]
pub struct Head<R> {
    /// The request, without its body.
    pub request: R,
    /// The length of its body.
    pub body: Body,
    /// Whether the client is ready to keep the connection.
    pub keep_alive: bool,
    /// Whether the client waits for `100 Continue`.
    pub expects_continue: bool,
    /// Whether the version is HTTP/1.0, not 1.1.
    pub is_http10: bool,
    /// The length of the head, in bytes.
    pub length: usize,
}

/// The length of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// There is no body.
    Empty,
    /// n bytes, at least one.
    Length(u64),
    /// Up to the last chunk.
    Chunked,
}

/// The status of the answer, and the reason.
#[derive(Clone, Copy)]
pub struct Refused(pub u16, pub &'static str);

impl PartialEq for Refused {
    /// Compares the statuses only: which reason is found first depends on how the bytes are split.
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.1)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.status.as_u16(), refusal.reason)
    }
}

impl<D: Door> Default for Heads<D> {
    fn default() -> Self {
        Self(HeadParser::new(&Arc::new(Arrival::from_nowhere())))
    }
}

impl<D: Door> Heads<D> {
    /// Forgets all earlier heads, as a connection does that is idle.
    pub fn forget(&mut self) {
        self.0.forget();
    }

    /// Parses the head at the start of `bytes`; returns `None` if it is not complete.
    ///
    /// # Errors
    ///
    /// The answer to a head that is refused.
    pub fn parse(&mut self, bytes: &[u8]) -> Result<Option<Head<D::Request>>, Refused> {
        let mut request = None;
        let head = self.0.parse(bytes, &mut request)?;
        Ok(head.zip(request).map(|(head, request)| Head {
            request,
            body: match head.framing {
                RequestFraming::Empty => Body::Empty,
                RequestFraming::Length(length) => Body::Length(length),
                RequestFraming::Chunked => Body::Chunked,
            },
            keep_alive: head.keep_alive,
            expects_continue: head.expects_continue,
            is_http10: head.is_http10,
            length: head.length,
        }))
    }
}

/// A chunked body that comes in pieces.
#[derive(Debug)]
pub struct Chunks {
    decoder: ChunkedDecoder,
    /// The bytes that are not decoded yet.
    rest: Vec<u8>,
    /// The body so far.
    body: Vec<u8>,
    /// The whole body, once it has come.
    whole: Option<WholeBody>,
}

/// A trailer: its name, and its values.
pub type Trailer = (String, Vec<Vec<u8>>);

/// A chunked body that has come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeBody {
    /// Its bytes.
    pub body: Vec<u8>,
    /// The trailers, sorted by name.
    pub trailers: Vec<Trailer>,
    /// The bytes behind it.
    pub rest: Vec<u8>,
}

impl Default for Chunks {
    fn default() -> Self {
        Self {
            decoder: ChunkedDecoder::new(),
            rest: Vec::new(),
            body: Vec::new(),
            whole: None,
        }
    }
}

impl Chunks {
    /// Takes the next bytes; returns the body if it has come to its end.
    ///
    /// # Errors
    ///
    /// The answer to a body that is refused.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Option<WholeBody>, Refused> {
        self.rest.extend_from_slice(bytes);
        while self.whole.is_none() {
            match self.decoder.step(&self.rest)? {
                Progress::Skip(length) => drop(self.rest.drain(..length)),
                Progress::Data(left) if !self.rest.is_empty() => {
                    let left = usize::try_from(left).unwrap_or(usize::MAX);
                    let taken = left.min(self.rest.len());
                    self.body.extend(self.rest.drain(..taken));
                    self.decoder.took(taken as u64);
                }
                Progress::Data(_) | Progress::More => return Ok(None),
                Progress::End(length, trailers) => {
                    self.rest.drain(..length);
                    self.whole = Some(WholeBody {
                        body: std::mem::take(&mut self.body),
                        trailers: trailers.as_ref().map(list).unwrap_or_default(),
                        rest: Vec::new(),
                    });
                }
            }
        }
        let whole = self.whole.clone();
        Ok(whole.map(|whole| WholeBody {
            rest: self.rest.clone(),
            ..whole
        }))
    }
}

/// Returns the trailers sorted by name: their map has no order.
fn list(trailers: &HeaderMap) -> Vec<Trailer> {
    let values = |name: &::http::HeaderName| {
        let values = trailers.get_all(name).iter();
        values.map(|value| value.as_bytes().to_vec()).collect()
    };
    let mut list: Vec<_> = trailers
        .keys()
        .map(|name| (name.as_str().to_owned(), values(name)))
        .collect();
    list.sort();
    list
}
