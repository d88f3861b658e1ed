//! A client with one connection, which blocks its thread.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::apps::HELLO;
use crate::response::{Expected, Reader};
use crate::{Failure, PATIENCE};

/// One connection to a server.
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

    /// Sends a request for this path, with no headers but what HTTP requires.
    pub(crate) fn send(&mut self, path: &str) -> Result<(), Failure> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        Ok(self.stream.write_all(request.as_bytes())?)
    }

    /// Waits for a response to its end.
    pub(crate) fn receive(&mut self) -> Result<(), Failure> {
        let mut reader = Reader::new(Expected::Exactly(HELLO.as_bytes()));
        let (mut buffer, mut begin, mut end) = ([0; 2048], 0, 0);
        loop {
            match self.stream.read(&mut buffer[end..])? {
                0 => return Err("closed before its response was whole".into()),
                length => end += length,
            }
            let (taken, response) = reader.read(&buffer[begin..end])?;
            begin += taken;
            if response.is_some() {
                return Ok(());
            }
        }
    }
}
