//! The codec as the targets in `fuzz/` see it: plain data, and nothing that reads or waits.

use std::fmt;

use http_types::{Request, Trailers};

use super::codec::{self, Chunked, Framing, Progress, Refusal, Targets};
use crate::net::endpoint::Endpoint;

/// The heads of one connection.
#[derive(Debug)]
pub struct Heads(Targets);

/// A request's head, and what it means for the connection.
#[derive(Debug)]
pub struct Head {
    /// Without its body.
    pub request: Request,
    /// How long its body is.
    pub body: Body,
    /// Whether the client would keep the connection.
    pub keep_alive: bool,
    /// Whether the client waits for `100 Continue`.
    pub expects_continue: bool,
    /// Whether it is of HTTP/1.0.
    pub old: bool,
    /// How many bytes it took.
    pub length: usize,
}

/// How long a request's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// It has none.
    Empty,
    /// So many bytes, at least one.
    Length(u64),
    /// Up to the last chunk.
    Chunked,
}

/// The status that is answered, and the reason.
#[derive(Clone, Copy)]
pub struct Refused(pub u16, pub &'static str);

impl PartialEq for Refused {
    /// Two reasons with the same status are told apart by people only.
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
        Self(refusal.status.into(), refusal.reason)
    }
}

impl Default for Heads {
    fn default() -> Self {
        let here = Endpoint::Tcp(([127, 0, 0, 1], 80).into());
        Self(Targets::new(&here, &here))
    }
}

impl Heads {
    /// The head at the start of `bytes`; `None` if it is not whole.
    ///
    /// # Errors
    ///
    /// What would be answered.
    pub fn parse(&mut self, bytes: &[u8]) -> Result<Option<Head>, Refused> {
        let head = codec::parse(bytes, &mut self.0)?;
        Ok(head.map(|head| Head {
            request: head.request,
            body: match head.framing {
                Framing::Empty => Body::Empty,
                Framing::Length(length) => Body::Length(length),
                Framing::Chunked => Body::Chunked,
            },
            keep_alive: head.keep_alive,
            expects_continue: head.expects_continue,
            old: head.old,
            length: head.length,
        }))
    }
}

/// A chunked body that comes in pieces.
#[derive(Debug)]
pub struct Chunks {
    decoder: Chunked,
    /// What has come and is not decoded yet.
    rest: Vec<u8>,
    body: Vec<u8>,
    end: Option<End>,
}

/// A chunked body that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Its bytes.
    pub body: Vec<u8>,
    /// The fields behind it, by name.
    pub trailers: Vec<(String, Vec<String>)>,
    /// What has come behind it.
    pub rest: Vec<u8>,
}

impl Default for Chunks {
    fn default() -> Self {
        Self {
            decoder: Chunked::new(),
            rest: Vec::new(),
            body: Vec::new(),
            end: None,
        }
    }
}

impl Chunks {
    /// Takes the next bytes; what has come, if that is all of it.
    ///
    /// # Errors
    ///
    /// What would be answered.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Option<End>, Refused> {
        self.rest.extend_from_slice(bytes);
        while self.end.is_none() {
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
                    self.end = Some(End {
                        body: std::mem::take(&mut self.body),
                        trailers: trailers.as_ref().map(list).unwrap_or_default(),
                        rest: Vec::new(),
                    });
                }
            }
        }
        let end = self.end.clone();
        Ok(end.map(|end| End {
            rest: self.rest.clone(),
            ..end
        }))
    }
}

/// The trailers in an order of their own: their map has none.
fn list(trailers: &Trailers) -> Vec<(String, Vec<String>)> {
    let mut list: Vec<_> = trailers
        .iter()
        .map(|(name, values)| {
            let values = values.iter().map(|value| value.as_str().to_owned());
            (name.as_str().to_owned(), values.collect())
        })
        .collect();
    list.sort();
    list
}
