//! HTTP as a client sees it: a request, and whether its response is whole.

use std::net::SocketAddr;

use crate::Failure;

/// The body of every response.
const BODY: &[u8] = b"Hello World!";

/// The bytes of a request for this path, with no headers but what HTTP requires.
pub(crate) fn request(path: &str, address: SocketAddr) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").into_bytes()
}

/// A whole response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Response {
    /// How many bytes it has, head and body.
    pub(crate) length: usize,
    /// True if the connection ends with it.
    pub(crate) close: bool,
}

/// Returns the response at the beginning of `bytes`, or `None` if it is not whole yet.
///
/// # Errors
///
/// It is no response, or not the expected one.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Response>, Failure> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head_length) = head.parse(bytes)? else {
        return Ok(None);
    };
    let value = |name: &str| {
        let named = |header: &&httparse::Header<'_>| header.name.eq_ignore_ascii_case(name);
        let header = head.headers.iter().find(named);
        header.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    if head.code != Some(200) {
        return Err(format!("answered with the status {}", head.code.unwrap_or(0)).into());
    }
    let length = head_length
        + value("content-length")
            .ok_or("no Content-Length")?
            .parse::<usize>()?;
    let close = value("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    match bytes.get(head_length..length) {
        None => Ok(None),
        Some(BODY) => Ok(Some(Response { length, close })),
        Some(_) => Err("answered with another body".into()),
    }
}
