//! A client's connection, which sees every byte.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::PATIENCE;

/// A connection to a server.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    /// Bytes that were read and not used.
    rest: Vec<u8>,
    /// A moment before the server's wait for the next request began: of the connect, or of the last
    /// send.
    pub(crate) since: Instant,
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// Why there is no whole response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The server has closed before the first byte.
    Closed,
    /// The server has closed amid the response.
    Cut,
    /// The connection was reset.
    Reset,
    /// Nothing has come for a long time.
    Silence,
    /// What has come is not HTTP.
    Malformed(String),
}

impl Answer {
    /// Returns true if the connection ends with it.
    pub(crate) fn closes(&self) -> bool {
        self.field("connection")
            .is_some_and(|value| value == "close")
    }

    /// Returns the first value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        field(&self.head, name)
    }
}

impl From<io::Error> for Missing {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::Silence,
            _ => Self::Reset,
        }
    }
}

impl Connection {
    /// Connects. Waits for a free port, if this machine has none at the moment.
    pub(crate) fn open(address: SocketAddr, receive_buffer: Option<usize>) -> io::Result<Self> {
        let since = Instant::now();
        let stream = loop {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
            if let Some(size) = receive_buffer {
                socket.set_recv_buffer_size(size)?;
            }
            match socket.connect(&address.into()) {
                Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(error) => return Err(error),
                Ok(()) => break TcpStream::from(socket),
            }
        };
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            rest: Vec::new(),
            since,
        })
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), Missing> {
        Ok(self.stream.write_all(bytes.as_ref())?)
    }

    /// Reads the next response, interim ones left out.
    pub(crate) fn answer(&mut self, is_head: bool) -> Result<Answer, Missing> {
        loop {
            let answer = self.any_answer(is_head)?;
            if answer.status >= 200 || answer.status == 101 {
                return Ok(answer);
            }
        }
    }

    /// Reads the next response, which may be an interim one.
    pub(crate) fn any_answer(&mut self, is_head: bool) -> Result<Answer, Missing> {
        let head = self.head()?;
        let malformed = || Missing::Malformed(head.clone());
        let status: u16 = head
            .strip_prefix("http/1.1 ")
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .ok_or_else(malformed)?;
        let has_body = !is_head && status >= 200 && !matches!(status, 204 | 304);
        let body = if !has_body {
            Vec::new()
        } else if let Some(length) = field(&head, "content-length") {
            self.take(length.parse().map_err(|_| malformed())?)?
        } else if field(&head, "transfer-encoding").is_some() {
            self.chunks()?
        } else {
            while self.more()? {}
            std::mem::take(&mut self.rest)
        };
        Ok(Answer { status, head, body })
    }

    fn head(&mut self) -> Result<String, Missing> {
        loop {
            if let Some(end) = find(&self.rest, b"\r\n\r\n") {
                let head: Vec<u8> = self.rest.drain(..end + 4).collect();
                return Ok(String::from_utf8_lossy(&head).to_lowercase());
            }
            if !self.more()? {
                return Err(match self.rest.is_empty() {
                    true => Missing::Closed,
                    false => Missing::Cut,
                });
            }
        }
    }

    fn chunks(&mut self) -> Result<Vec<u8>, Missing> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                match find(&self.rest, b"\r\n") {
                    Some(end) => break end,
                    None => self.must_have_more()?,
                }
            };
            let line: Vec<u8> = self.rest.drain(..end + 2).collect();
            let line = String::from_utf8_lossy(&line[..end]).into_owned();
            let size = usize::from_str_radix(&line, 16);
            let size = size.map_err(|_| Missing::Malformed(format!("chunk line `{line}`")))?;
            let chunk = self.take(size + 2)?;
            if !chunk.ends_with(b"\r\n") {
                return Err(Missing::Malformed("a chunk without an end".into()));
            }
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return Ok(body);
            }
        }
    }

    /// Reads n bytes.
    pub(crate) fn take(&mut self, length: usize) -> Result<Vec<u8>, Missing> {
        while self.rest.len() < length {
            self.must_have_more()?;
        }
        Ok(self.rest.drain(..length).collect())
    }

    fn must_have_more(&mut self) -> Result<(), Missing> {
        match self.more()? {
            true => Ok(()),
            false => Err(Missing::Cut),
        }
    }

    fn more(&mut self) -> io::Result<bool> {
        let mut part = [0; 16 * 1024];
        let length = self.stream.read(&mut part)?;
        self.rest.extend_from_slice(&part[..length]);
        Ok(length > 0)
    }

    /// Reads to the end, and drops what comes.
    pub(crate) fn drain(&mut self) -> Result<(), Missing> {
        while self.more()? {
            self.rest.clear();
        }
        Ok(())
    }

    /// Closes the client's side.
    pub(crate) fn finish(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Closes the connection by a reset.
    pub(crate) fn reset(self) {
        let _ = Socket::from(self.stream).set_linger(Some(Duration::ZERO));
    }
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found == name).then(|| value.trim())
    })
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
