//! A client with one connection, which blocks its thread.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::response::{Response, parse, request};
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

    /// Sends a request for this path.
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
