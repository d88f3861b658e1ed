//! A connection that is answered with fixed bytes.

use std::os::fd::OwnedFd;

use memchr::memmem::Finder;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 12\r\n\
    \r\n\
    Hello World!";
const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

/// What a thread's connections share.
pub struct Buffers {
    read: Vec<u8>,
    write: Vec<u8>,
    end_of_head: Finder<'static>,
}

impl Buffers {
    pub fn new() -> Buffers {
        Buffers {
            read: vec![0; 16 * 1024],
            write: Vec::with_capacity(16 * 1024),
            end_of_head: Finder::new(b"\r\n\r\n"),
        }
    }

    /// Puts down an answer to each head, and returns how much they take.
    fn answer(&mut self, heads: &[u8]) -> usize {
        let mut begin = 0;
        while let Some(length) = self.end_of_head.find(&heads[begin..]) {
            let is_hello = heads[begin..].starts_with(b"GET /hello ");
            self.write
                .extend_from_slice(if is_hello { HELLO } else { NOT_FOUND });
            begin += length + 4;
        }
        begin
    }
}

/// The connection is over.
pub struct Closed;

pub struct Connection {
    socket: OwnedFd,

    /// A head that has not come whole.
    head: Vec<u8>,

    /// What did not fit into the socket.
    unsent: Vec<u8>,
}

impl Connection {
    pub fn new(socket: OwnedFd) -> Connection {
        Connection {
            socket,
            head: Vec::new(),
            unsent: Vec::new(),
        }
    }

    /// Does what can be done without waiting; to the end of the stream, if that has come.
    ///
    /// # Errors
    ///
    /// The connection is over, well or not.
    pub fn serve(&mut self, buffers: &mut Buffers, has_end: bool) -> Result<(), Closed> {
        if !self.unsent.is_empty() {
            buffers.write.append(&mut self.unsent);
            self.send(buffers)?;
        }
        while self.unsent.is_empty() {
            let read = match recv(&self.socket, &mut buffers.read[..], RecvFlags::empty()) {
                Ok((0, _)) => return Err(Closed),
                Ok((read, _)) => read,
                Err(Errno::WOULDBLOCK) => break,
                Err(_) => return Err(Closed),
            };
            self.answer(buffers, read);
            self.send(buffers)?;
            if read < buffers.read.len() && !has_end {
                break;
            }
        }
        Ok(())
    }

    fn answer(&mut self, buffers: &mut Buffers, read: usize) {
        let came = std::mem::take(&mut buffers.read);
        if self.head.is_empty() {
            let answered = buffers.answer(&came[..read]);
            self.head.extend_from_slice(&came[answered..read]);
        } else {
            self.head.extend_from_slice(&came[..read]);
            let answered = buffers.answer(&self.head);
            self.head.drain(..answered);
        }
        buffers.read = came;
    }

    /// Sends what the buffer has; keeps what does not fit.
    fn send(&mut self, buffers: &mut Buffers) -> Result<(), Closed> {
        let mut sent = 0;
        while sent < buffers.write.len() {
            match send(&self.socket, &buffers.write[sent..], SendFlags::NOSIGNAL) {
                Ok(more) => sent += more,
                Err(Errno::WOULDBLOCK) => {
                    self.unsent.extend_from_slice(&buffers.write[sent..]);
                    break;
                }
                Err(_) => {
                    buffers.write.clear();
                    return Err(Closed);
                }
            }
        }
        buffers.write.clear();
        Ok(())
    }
}
