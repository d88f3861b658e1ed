//! The server side of HTTP/1 (RFC 9112) between bytes and `http_types`.
//!
//! Nothing in here reads, writes or waits: bytes go in, and a request, a refusal or more bytes come
//! out. So the connection can be exchanged without touching the codec, and the codec for another one
//! without touching the drain.
//!
//! It is strict where leniency lets two parties disagree on where a message ends (request
//! smuggling): CRLF only, one way to give a body's length, nothing before a colon.

mod chunked;
mod date;
mod head;
mod heads;
mod names;
mod refusal;
mod response;
mod target;

pub(super) use chunked::{Chunked, Progress};
pub(super) use head::{Framing, Head};
pub(super) use heads::Heads;
pub(super) use refusal::Refusal;
pub(super) use response::{BodyKind, Persistence, ResponseHead, write_last_chunk, write_refusal};
use target::Targets;

/// How many header fields a head may have; more are answered with 431.
pub(super) const MAX_HEADERS: usize = 100;
