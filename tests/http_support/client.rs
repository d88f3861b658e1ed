//! A client that sees every byte.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use super::PATIENCE;

/// A client on a plain socket; or with TLS, where the server has it.
pub struct Client {
    pub stream: TcpStream,
    #[cfg(feature = "tls")]
    tls: Option<super::tls::Session>,
    /// Bytes that were read and not used.
    rest: Vec<u8>,
}

/// A response.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// In lower case.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn closes(&self) -> bool {
        self.head.contains("\r\nconnection: close\r\n")
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Client {
    pub fn connect(addr: SocketAddr) -> std::io::Result<Client> {
        Client::new(TcpStream::connect(addr)?)
    }

    pub fn new(stream: TcpStream) -> std::io::Result<Client> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        #[cfg(feature = "proxy-protocol")]
        super::proxied::introduce(&stream)?;
        Ok(Client {
            stream,
            #[cfg(feature = "tls")]
            tls: super::tls::session(),
            rest: Vec::new(),
        })
    }

    /// Returns another client on the same connection, to read while this one writes.
    pub fn twin(&self) -> Client {
        Client {
            stream: self.stream.try_clone().unwrap(),
            // Two cannot share a session.
            #[cfg(feature = "tls")]
            tls: None,
            rest: Vec::new(),
        }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        self.try_send(bytes).unwrap();
        self
    }

    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            return tls.write(&mut self.stream, bytes.as_ref());
        }
        self.stream.write_all(bytes.as_ref())
    }

    pub fn get(&mut self, path: &str) -> &mut Client {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n"))
    }

    /// Sends a request, or what of it can be sent to a server that is blocked: over TLS the begin of the handshake.
    pub fn begin(&mut self, path: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            return tls.begin(&mut self.stream, request.as_bytes());
        }
        self.send(request);
    }

    /// Sends a request whose handler waits for a body that is not sent. Returns when it waits.
    #[track_caller]
    pub fn stall(&mut self) -> &mut Client {
        self.send("POST /read HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n");
        self.send("content-length: 10\r\n\r\n");
        let head = self.head().unwrap().expect("100 Continue");
        assert!(head.starts_with("http/1.1 100 "), "{head}");
        self
    }

    /// Reads the next response that is not a 100; returns `None` at the end of file.
    pub fn try_answer(&mut self) -> std::io::Result<Option<Answer>> {
        let Some(head) = self.head()? else {
            return Ok(None);
        };
        let status = head[9..12].parse().unwrap();
        let field = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name));
            line.map(|line| line.trim().to_owned())
        };
        let body = if let Some(length) = field("content-length:") {
            self.take(length.parse().unwrap())?
        } else if field("transfer-encoding:").is_some() {
            self.chunks()?
        } else if matches!(status, 101 | 204 | 304) {
            Vec::new()
        } else {
            while self.more()? {}
            std::mem::take(&mut self.rest)
        };
        Ok(Some(Answer { status, head, body }))
    }

    #[track_caller]
    pub fn answer(&mut self) -> Answer {
        self.try_answer().unwrap().expect("an answer")
    }

    /// Reads the next head; returns it in lower case, or `None` at the end of file.
    pub fn head(&mut self) -> std::io::Result<Option<String>> {
        loop {
            if let Some(end) = find(&self.rest, b"\r\n\r\n") {
                let head: Vec<u8> = self.rest.drain(..end + 4).collect();
                return Ok(Some(String::from_utf8(head).unwrap().to_lowercase()));
            }
            if !self.more()? {
                return match self.rest.is_empty() {
                    true => Ok(None),
                    false => Err(ErrorKind::UnexpectedEof.into()),
                };
            }
        }
    }

    fn chunks(&mut self) -> std::io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                match find(&self.rest, b"\r\n") {
                    Some(end) => break end,
                    None if self.more()? => {}
                    None => return Err(ErrorKind::UnexpectedEof.into()),
                }
            };
            let line: Vec<u8> = self.rest.drain(..end + 2).collect();
            let size = std::str::from_utf8(&line[..end]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            let chunk = self.take(size + 2)?;
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return Ok(body);
            }
        }
    }

    pub fn take(&mut self, length: usize) -> std::io::Result<Vec<u8>> {
        while self.rest.len() < length {
            if !self.more()? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.rest.drain(..length).collect())
    }

    /// Reads until `text` has come.
    #[track_caller]
    pub fn read_until(&mut self, text: &str) {
        while find(&self.rest, text.as_bytes()).is_none() {
            assert!(self.more().unwrap(), "no {text}");
        }
    }

    fn more(&mut self) -> std::io::Result<bool> {
        let mut buffer = [0; 16 * 1024];
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            let length = tls.read(&mut self.stream, &mut buffer)?;
            self.rest.extend_from_slice(&buffer[..length]);
            return Ok(length > 0);
        }
        let length = self.stream.read(&mut buffer)?;
        self.rest.extend_from_slice(&buffer[..length]);
        Ok(length > 0)
    }

    /// Waits until the server closes. Returns true if it sent nothing before.
    ///
    /// Panics at a reset.
    #[track_caller]
    pub fn is_closed(&mut self) -> bool {
        self.rest.is_empty() && !self.more().expect("an end of file, no reset")
    }

    /// Closes the connection by a reset.
    pub fn reset(self) {
        let socket = socket2::Socket::from(self.stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Frees the memory that no bytes are in.
    pub fn shrink(&mut self) {
        self.rest.shrink_to_fit();
    }

    pub fn finish(&mut self) -> &mut Client {
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            tls.end(&mut self.stream);
        }
        self.stream.shutdown(Shutdown::Write).unwrap();
        self
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
