//! One connection as a client sees it: every byte is counted, and every answer parsed.

use std::io;
use std::sync::LazyLock;

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
    /// How many bytes of the present body have come, and whether they are those that handlers send.
    body: u64,
    is_as_made: bool,
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
    /// Whether the body is what a handler sends.
    pub is_as_made: bool,
    length: Option<u64>,
    is_chunked: bool,
}

/// What comes of a request.
#[derive(Debug)]
pub enum Seen {
    /// An answer, and how many bytes its body has.
    Whole(Head, u64),
    /// A part of an answer, and how many bytes of its body have come.
    Cut(Option<Head>, u64),
    /// The end of the connection.
    End,
}

/// After how many bytes the bodies of handlers begin anew. It is no power of two.
const PERIOD: usize = 251;

/// The most bytes that [`made`] returns.
pub const PART: usize = 64 * 1024;

/// Returns bytes of the bodies that handlers send: so many behind the first ones.
pub fn made(behind: usize, bytes: usize) -> &'static [u8] {
    static ALL: LazyLock<Vec<u8>> =
        LazyLock::new(|| (0..PERIOD + PART).map(|at| (at % PERIOD) as u8).collect());
    &ALL[behind % PERIOD..][..bytes]
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
        body: 0,
        is_as_made: true,
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
        if let Seen::Cut(..) = seen {
            self.finish().await;
            self.rest.clear();
        }
        seen
    }

    async fn next(&mut self, is_head: bool) -> Seen {
        let Some(mut head) = self.head().await else {
            return match self.rest.is_empty() {
                true => Seen::End,
                false => Seen::Cut(None, 0),
            };
        };
        (self.body, self.is_as_made) = (0, true);
        let has_none = is_head || matches!(head.status, 100 | 101 | 204 | 304);
        let is_whole = match () {
            () if has_none => true,
            () if head.is_chunked => self.chunks().await.is_some(),
            () => match head.length {
                Some(length) => self.take_body(length as usize).await == length as usize,
                None => {
                    self.finish().await;
                    self.take_body(usize::MAX).await;
                    !self.is_reset()
                }
            },
        };
        head.is_as_made = self.is_as_made;
        match is_whole {
            true => Seen::Whole(head, self.body),
            false => Seen::Cut(Some(head), self.body),
        }
    }

    /// Reads so many bytes of a body, or to the end. Returns how many there were.
    async fn take_body(&mut self, bytes: usize) -> usize {
        while self.rest.len() < bytes && self.more().await {}
        let there = bytes.min(self.rest.len());
        for part in self.rest[..there].chunks(PART) {
            self.is_as_made &= part == made(self.body as usize, part.len());
            self.body += part.len() as u64;
        }
        self.rest.drain(..there);
        there
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
            is_as_made: true,
            retry_after: field("retry-after"),
            length: field("content-length").map(|length| length.parse().unwrap()),
            is_chunked: field("transfer-encoding").is_some(),
        })
    }

    async fn chunks(&mut self) -> Option<()> {
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
            if self.take_body(length).await < length || self.take(2).await < 2 {
                return None;
            }
            if length == 0 {
                return Some(());
            }
        }
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
