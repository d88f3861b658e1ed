//! One connection as a client sees it: every byte is counted, and every answer parsed.

use std::io;

use futures_lite::io::{ReadHalf, WriteHalf, split};
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use neap::net::Stream;

/// The side of a connection that sends.
pub struct Sender {
    half: WriteHalf<Stream>,
    pub sent: u64,
}

/// The side of a connection that reads.
pub struct Reader {
    half: ReadHalf<Stream>,
    rest: Vec<u8>,
    pub read: u64,
    /// The connection has ended: by a reset, or well.
    pub end: Option<io::Result<()>>,
}

/// The head of an answer.
#[derive(Debug, Clone)]
pub struct Head {
    pub status: u16,
    pub closes: bool,
    pub keeps: bool,
    pub retry_after: Option<String>,
    length: Option<u64>,
    is_chunked: bool,
}

/// What comes of a request.
#[derive(Debug)]
pub enum Seen {
    /// An answer, and how many bytes its body has.
    Whole(Head, u64),
    /// A part of an answer.
    Cut(Option<Head>),
    /// The end of the connection.
    End,
}

pub fn ends(stream: Stream) -> (Sender, Reader) {
    let (read, write) = split(stream);
    let sender = Sender {
        half: write,
        sent: 0,
    };
    let reader = Reader {
        half: read,
        rest: Vec::new(),
        read: 0,
        end: None,
    };
    (sender, reader)
}

impl Sender {
    /// Sends bytes. Returns false if they are not taken.
    pub async fn send(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            match self.half.write(bytes).await {
                Ok(length @ 1..) => {
                    self.sent += length as u64;
                    bytes = &bytes[length..];
                }
                Ok(0) | Err(_) => return false,
            }
        }
        true
    }
}

impl Reader {
    async fn more(&mut self) -> bool {
        if self.end.is_some() {
            return false;
        }
        let mut part = [0; 8192];
        match self.half.read(&mut part).await {
            Ok(length @ 1..) => {
                self.rest.extend_from_slice(&part[..length]);
                self.read += length as u64;
                return true;
            }
            Ok(0) => self.end = Some(Ok(())),
            Err(error) => self.end = Some(Err(error)),
        }
        false
    }

    pub fn is_reset(&self) -> bool {
        matches!(self.end, Some(Err(_)))
    }

    /// Reads to the end; returns how many bytes have come that nobody has asked for.
    pub async fn finish(&mut self) -> usize {
        while self.more().await {}
        self.rest.len()
    }

    /// Reads so many bytes, or to the end. Returns how many there were.
    pub async fn take(&mut self, bytes: usize) -> usize {
        while self.rest.len() < bytes && self.more().await {}
        let there = bytes.min(self.rest.len());
        self.rest.drain(..there);
        there
    }

    /// Reads the next answer that is final, or a 100.
    pub async fn answer(&mut self, is_head: bool) -> Seen {
        let seen = self.next(is_head).await;
        if let Seen::Cut(_) = seen {
            self.finish().await;
            self.rest.clear();
        }
        seen
    }

    async fn next(&mut self, is_head: bool) -> Seen {
        let Some(head) = self.head().await else {
            return match self.rest.is_empty() {
                true => Seen::End,
                false => Seen::Cut(None),
            };
        };
        let has_none = is_head || matches!(head.status, 100 | 101 | 204 | 304);
        let body = match () {
            () if has_none => Some(0),
            () if head.is_chunked => self.chunks().await,
            () => match head.length {
                Some(length) => {
                    let there = self.take(length as usize).await as u64;
                    (there == length).then_some(there)
                }
                None => {
                    let bytes = self.finish().await;
                    self.rest.clear();
                    (!self.is_reset()).then_some(bytes as u64)
                }
            },
        };
        match body {
            Some(body) => Seen::Whole(head, body),
            None => Seen::Cut(Some(head)),
        }
    }

    async fn head(&mut self) -> Option<Head> {
        let end = loop {
            match find(&self.rest, b"\r\n\r\n") {
                Some(end) => break end + 4,
                None if self.more().await => {}
                None => return None,
            }
        };
        let text: Vec<u8> = self.rest.drain(..end).collect();
        let text = String::from_utf8(text).unwrap().to_lowercase();
        let field = |name: &str| {
            let name = format!("\r\n{name}: ");
            let (_, value) = text.split_once(&name)?;
            Some(value.split("\r\n").next()?.to_owned())
        };
        assert!(text.starts_with("http/1.1 "), "no answer: {text:?}");
        let connection = field("connection");
        Some(Head {
            status: text[9..12].parse().unwrap(),
            closes: connection.as_deref() == Some("close"),
            keeps: connection.as_deref() == Some("keep-alive"),
            retry_after: field("retry-after"),
            length: field("content-length").map(|length| length.parse().unwrap()),
            is_chunked: field("transfer-encoding").is_some(),
        })
    }

    async fn chunks(&mut self) -> Option<u64> {
        let mut bytes = 0;
        loop {
            let end = loop {
                match find(&self.rest, b"\r\n") {
                    Some(end) => break end,
                    None if self.more().await => {}
                    None => return None,
                }
            };
            let line: Vec<u8> = self.rest.drain(..end + 2).collect();
            let line = std::str::from_utf8(&line[..end]).unwrap();
            let length = usize::from_str_radix(line, 16).unwrap();
            if self.take(length + 2).await < length + 2 {
                return None;
            }
            if length == 0 {
                return Some(bytes);
            }
            bytes += length as u64;
        }
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
