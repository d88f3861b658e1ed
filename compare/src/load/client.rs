//! A client of the load: one connection that never blocks.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use rustix::event::epoll::EventFlags;
use socket2::{Domain, Socket, Type};

use super::Tally;
use super::loads::Load;
use crate::Failure;
use crate::response::Reader;

/// `EINPROGRESS`, connect(2).
const IN_PROGRESS: i32 = rustix::io::Errno::INPROGRESS.raw_os_error();

/// What an upload is made of.
static LETTERS: [u8; 256 * 1024] = [b'x'; 256 * 1024];

/// What an event has led to.
pub(super) enum Step {
    /// The connection is there.
    Connected,
    /// This many responses have come whole, and are in the tally.
    Answered(usize),
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

/// One connection, what is to be written to it, and the response that is being read.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) stream: TcpStream,
    connected: bool,
    reader: Reader,
    buffer: Vec<u8>,
    /// How many bytes of the buffer are filled and not taken yet.
    filled: usize,

    /// Requests that are not written yet, from `written` on, with this much of a body behind them.
    unwritten: Vec<u8>,
    written: usize,
    upload: u64,
    /// How many requests those are, and when they were due, if that counts.
    unsent: usize,
    due: Option<Instant>,
    /// The instants from which requests count that were sent whole and are not answered.
    pub(super) unanswered: VecDeque<Instant>,
}

impl Client {
    /// Begins to connect. An event says when it is connected.
    pub(super) fn connect(address: SocketAddr, load: &Load) -> io::Result<Client> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        match socket.connect(&address.into()) {
            Err(error) if error.raw_os_error() != Some(IN_PROGRESS) => return Err(error),
            _ => {}
        }
        let size = if load.volume().is_some() {
            LETTERS.len()
        } else {
            8 * 1024
        };
        Ok(Client {
            stream: socket.into(),
            connected: false,
            reader: Reader::new(load.expected),
            buffer: vec![0; size],
            filled: 0,
            unwritten: Vec::new(),
            written: 0,
            upload: 0,
            unsent: 0,
            due: None,
            unanswered: VecDeque::new(),
        })
    }

    /// Returns true if it has to be told when it can write.
    pub(super) fn has_to_write(&self) -> bool {
        !self.connected || self.unsent > 0
    }

    /// Sends a number of requests, which `write` appends, with `upload` bytes behind them.
    pub(super) fn send(
        &mut self,
        number: usize,
        write: impl FnOnce(&mut Vec<u8>),
        upload: u64,
        due: Option<Instant>,
        tally: &mut Tally,
    ) -> Step {
        write(&mut self.unwritten);
        self.unsent += number;
        self.upload = upload;
        self.due = due;
        self.flush(tally)
    }

    /// Writes as much as the kernel takes.
    fn flush(&mut self, tally: &mut Tally) -> Step {
        while self.written < self.unwritten.len() || self.upload > 0 {
            let head = &self.unwritten[self.written..];
            let written = match head.is_empty() {
                false => self.stream.write(head),
                true => {
                    let most = self.upload.min(LETTERS.len() as u64) as usize;
                    self.stream.write(&LETTERS[..most])
                }
            };
            match written {
                Ok(length) if head.is_empty() => {
                    self.upload -= length as u64;
                    tally.bytes += length as u64;
                }
                Ok(length) => self.written += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Step::Nothing,
                Err(_) => return self.gone(),
            }
        }
        self.unwritten.clear();
        self.written = 0;
        let since = self.due.take().unwrap_or_else(Instant::now);
        self.unanswered
            .extend(std::iter::repeat_n(since, self.unsent));
        self.unsent = 0;
        Step::Nothing
    }

    /// Does what an event makes possible.
    pub(super) fn step(&mut self, event: EventFlags, tally: &mut Tally) -> Result<Step, Failure> {
        if !self.connected {
            return self.connected();
        }
        if event.contains(EventFlags::OUT) && self.unsent > 0 {
            let step = self.flush(tally);
            if matches!(step, Step::Gone { .. }) {
                return Ok(step);
            }
        }
        match event.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            true => self.receive(tally),
            false => Ok(Step::Nothing),
        }
    }

    fn connected(&mut self) -> Result<Step, Failure> {
        Ok(match self.stream.take_error()? {
            None => {
                self.connected = true;
                Step::Connected
            }
            Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => Step::Refused,
            Some(_) => Step::Gone { lost: false },
        })
    }

    /// A request is lost with the connection if it was sent whole.
    fn gone(&self) -> Step {
        Step::Gone {
            lost: !self.unanswered.is_empty(),
        }
    }

    /// Reads once, and takes all responses that are whole then.
    fn receive(&mut self, tally: &mut Tally) -> Result<Step, Failure> {
        match self.stream.read(&mut self.buffer[self.filled..]) {
            Ok(0) => return Ok(self.gone()),
            Ok(length) => {
                self.filled += length;
                tally.bytes += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Step::Nothing),
            Err(_) => return Ok(self.gone()),
        }
        let (mut begin, mut answered, mut close) = (0, 0, false);
        while begin < self.filled && !close {
            let (taken, response) = self.reader.read(&self.buffer[begin..self.filled])?;
            begin += taken;
            let Some(response) = response else {
                break;
            };
            let since = self.unanswered.pop_front();
            let since = since.ok_or("answered more than was asked")?;
            tally.add(since.elapsed());
            answered += 1;
            close = response.close;
        }
        tally.answered += answered;
        self.buffer.copy_within(begin..self.filled, 0);
        self.filled -= begin;
        if self.filled == self.buffer.len() {
            return Err("answered with a head that is too long".into());
        }
        Ok(match (close, answered) {
            (true, _) => Step::Gone { lost: false },
            (false, 0) => Step::Nothing,
            (false, answered) => Step::Answered(answered),
        })
    }
}
