//! A client of the load: one connection that never blocks.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::Failure;
use crate::response::parse;

/// `EINPROGRESS`, connect(2).
const IN_PROGRESS: i32 = rustix::io::Errno::INPROGRESS.raw_os_error();

/// What a client waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Waiting {
    /// The connection.
    Connected,
    /// A response, to a request that was sent whole at this instant.
    Answered(Instant),
}

/// What an event has led to.
pub(super) enum Step {
    /// A response is whole.
    Answered {
        after: Duration,
        /// True if the connection ends with it.
        close: bool,
    },
    /// The connection is gone.
    Gone {
        /// True if a request that was sent whole is gone with it.
        lost: bool,
    },
    /// The connect was refused.
    Refused,
    /// There is more to come.
    Nothing,
}

/// One connection, its state, and the response that is being read.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) stream: TcpStream,
    pub(super) waiting: Waiting,
    buffer: [u8; 1024],
    filled: usize,
}

impl Client {
    /// Begins to connect. An event says when it is connected.
    pub(super) fn connect(address: SocketAddr) -> io::Result<Client> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        match socket.connect(&address.into()) {
            Err(error) if error.raw_os_error() != Some(IN_PROGRESS) => return Err(error),
            _ => {}
        }
        Ok(Client {
            stream: socket.into(),
            waiting: Waiting::Connected,
            buffer: [0; 1024],
            filled: 0,
        })
    }

    /// Sends a request. The kernel's buffer takes it whole, since there is nothing else in it.
    pub(super) fn send(&mut self, request: &[u8]) -> Step {
        match self.stream.write(request) {
            Ok(length) if length == request.len() => {
                self.waiting = Waiting::Answered(Instant::now());
                Step::Nothing
            }
            _ => Step::Gone { lost: false },
        }
    }

    /// Does what an event makes possible.
    pub(super) fn step(&mut self, request: &[u8]) -> Result<Step, Failure> {
        match self.waiting {
            Waiting::Connected => self.connected(request),
            Waiting::Answered(sent) => self.receive(sent),
        }
    }

    fn connected(&mut self, request: &[u8]) -> Result<Step, Failure> {
        Ok(match self.stream.take_error()? {
            None => self.send(request),
            Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => Step::Refused,
            Some(_) => Step::Gone { lost: false },
        })
    }

    fn receive(&mut self, sent: Instant) -> Result<Step, Failure> {
        match self.stream.read(&mut self.buffer[self.filled..]) {
            Ok(0) => return Ok(Step::Gone { lost: true }),
            Ok(length) => self.filled += length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Step::Nothing),
            Err(_) => return Ok(Step::Gone { lost: true }),
        }
        let Some(response) = parse(&self.buffer[..self.filled])? else {
            return Ok(Step::Nothing);
        };
        if response.length != self.filled {
            return Err("answered more than was asked".into());
        }
        self.filled = 0;
        let (after, close) = (sent.elapsed(), response.close);
        Ok(Step::Answered { after, close })
    }
}
