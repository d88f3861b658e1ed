//! The server side of HTTP/1 (RFC 9110, RFC 9112) between bytes and `http_types`.
//!
//! Nothing in here reads, writes or waits: bytes go in; a request, a refusal or the wish for more
//! bytes comes out. So the connection can be replaced without touching the codec, and the codec
//! without touching the drain.
//!
//! In the order of a request's way:
//!
//! - `head_parser`: the heads of one connection. It recognises a repeated one; `head` parses the
//!   others, with `target` for the request line, `path` and `host` for what it names, and `names` for the
//!   field names.
//! - `chunked`: decodes a chunked body.
//! - `refusal`: why a message is not served, and the status that says so.
//! - `response`: writes a response's head, with `date` for its date.
//!
//! The codec is strict where leniency lets two parties disagree on where a message ends (request
//! smuggling): CRLF only, one way to give a body's length, nothing before a colon.

mod chunked;
mod date;
mod head;
mod head_parser;
mod host;
mod names;
mod path;
mod refusal;
mod response;
mod target;

pub(super) use chunked::{ChunkedDecoder, Progress};
pub(super) use head::{RequestFraming, RequestHead};
pub(super) use head_parser::HeadParser;
pub(super) use refusal::Refusal;
pub(super) use response::{
    Persistence, ResponseFraming, ResponseHead, write_last_chunk, write_refusal,
};
