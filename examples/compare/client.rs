//! HTTP as a client sees it: one connection, and whether a response is whole.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::Failure;
use super::contender::PATIENCE;

/// What every `GET /hello` must be answered with.
pub(crate) const BODY: &[u8] = b"Hello World!";

/// A request for this path, with what HTTP asks for and no more.
pub(crate) fn request(path: &str, address: SocketAddr) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").into_bytes()
}

/// A whole response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Response {
    /// Its bytes, head and body.
    pub(crate) length: usize,
    /// Whether the connection ends with it.
    pub(crate) close: bool,
}

/// The response at the beginning of `bytes`, if it is whole.
///
/// # Errors
///
/// It is no response, or not the one that was asked for.
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

/// A connection that blocks its thread.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    address: SocketAddr,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Client { stream, address })
    }

    pub(crate) fn send(&mut self, path: &str) -> Result<(), Failure> {
        Ok(self.stream.write_all(&request(path, self.address))?)
    }

    /// Waits for a response to its end.
    pub(crate) fn receive(&mut self) -> Result<Response, Failure> {
        let (mut buffer, mut filled) = ([0; 2048], 0);
        loop {
            match self.stream.read(&mut buffer[filled..])? {
                0 => return Err("closed before its response was whole".into()),
                length => filled += length,
            }
            if let Some(response) = parse(&buffer[..filled])? {
                return Ok(response);
            }
        }
    }
}
