//! The server side of HTTP/1 (RFC 9110, RFC 9112) between bytes and what they mean.
//!
//! Nothing in here reads, writes or waits: bytes go in; a head, a refusal or the wish for more
//! bytes comes out. The types of requests and responses are the doors'. So the connection can be replaced
//! without touching the codec, and the codec without touching the drain.
//!
//! In the order of a request's way:
//!
//! - `head`: parses a head, with `target` for the request line, `path` and `host` for what it names, and
//!   `token` for its words.
//! - `last_head`: reads a head by the one before, of which it mostly has the most.
//! - `chunked`: decodes a chunked body.
//! - `refusal`: why a message is not served, and the status that says so; `method` is what it depends on.
//! - `response`: writes a response's head, with `field` for its fields and `date` for its date.
//!
//! The codec is strict where leniency lets two parties disagree on where a message ends (request
//! smuggling): CRLF only, one way to give a body's length, nothing before a colon.

mod chunked;
mod date;
mod field;
mod head;
mod host;
mod last_head;
mod method;
mod path;
mod refusal;
mod response;
mod target;
mod token;

pub(super) use chunked::{ChunkedDecoder, Progress};
pub(super) use head::{RawHead, RequestFraming, RequestHead, parse};
pub(super) use last_head::{Changes, LastHead};
pub(super) use method::MethodKind;
pub(super) use refusal::Refusal;
pub(super) use response::{
    AnswerHead, Persistence, ResponseFraming, ResponseHead, write_last_chunk, write_refusal,
};
pub(super) use target::{TargetForm, authority, path_of};
