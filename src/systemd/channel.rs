//! The socket of the service manager, and the messages that wait for room in it.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io;
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::os::unix::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::task::{Context, Poll};

use async_io::Async;
use futures_lite::ready;

use super::message::Message;

/// Sends messages to the service manager, in order. It never blocks.
pub(super) struct Channel {
    /// What `NOTIFY_SOCKET` says.
    address: Box<OsStr>,

    /// Connected to that address. `None` if it cannot be reached.
    socket: Option<Async<UnixDatagram>>,

    /// What is to be sent, while the receiver has no room for it.
    waiting: VecDeque<Message>,

    /// Why a message was not sent, unless that was told.
    error: Option<io::Error>,

    /// True from a message that was not sent until one that was: only the first is told of.
    is_failing: bool,
}

impl Channel {
    /// Connects to an address as sd_notify(3) has it: a path, or `@` and a name in the abstract
    /// namespace of Linux.
    pub(super) fn new(address: &OsStr) -> Channel {
        let (socket, error) = match connect(address) {
            Ok(socket) => (Some(socket), None),
            Err(error) => (None, Some(error)),
        };
        Channel {
            address: address.into(),
            socket,
            waiting: VecDeque::new(),
            is_failing: error.is_some(),
            error,
        }
    }

    /// Adds a message, and leaves out those that it makes obsolete. So only a few ever wait.
    pub(super) fn push(&mut self, message: Message) {
        self.waiting.retain(|other| !message.replaces(other));
        self.waiting.push_back(message);
    }

    /// Sends what waits. If there is no room, the task is woken once there is.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.flush();
            match &self.socket {
                // An error is one of the reactor: the next send tells.
                Some(socket) if !self.waiting.is_empty() => drop(ready!(socket.poll_writable(cx))),
                _ => return Poll::Ready(()),
            }
        }
    }

    /// Sends what there is room for.
    pub(super) fn flush(&mut self) {
        while let Some(message) = self.waiting.pop_front() {
            match self.send(message.text()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.waiting.push_front(message);
                    return;
                }
                Err(_) if self.is_failing => {}
                Err(error) => {
                    self.is_failing = true;
                    self.error = Some(error);
                }
                Ok(()) => self.is_failing = false,
            }
        }
    }

    /// Sends a message. Where the receiver was replaced by another at the same address, that one has it.
    fn send(&mut self, text: &str) -> io::Result<()> {
        if let Some(socket) = &self.socket {
            match send(socket, text) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
                Err(_) => {}
            }
        }
        self.socket = None;
        let socket = connect(&self.address)?;
        let sent = send(&socket, text);
        self.socket = Some(socket);
        sent
    }

    /// Returns why a message was not sent, once.
    pub(super) fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// Returns the address, for a log record.
    pub(super) fn address(&self) -> &OsStr {
        &self.address
    }
}

/// Sends one datagram, without blocking.
fn send(socket: &Async<UnixDatagram>, text: &str) -> io::Result<()> {
    loop {
        match socket.get_ref().send(text.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            sent => return sent.map(drop),
        }
    }
}

fn connect(address: &OsStr) -> io::Result<Async<UnixDatagram>> {
    let socket = UnixDatagram::unbound()?;
    match address.as_bytes() {
        [b'/', ..] => socket.connect(address)?,
        [b'@', name @ ..] => connect_abstract(&socket, name)?,
        _ => {
            let error = "it is neither an absolute path nor `@` and a name";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
        }
    }
    Async::new(socket)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn connect_abstract(socket: &UnixDatagram, name: &[u8]) -> io::Result<()> {
    socket.connect_addr(&SocketAddr::from_abstract_name(name)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn connect_abstract(_: &UnixDatagram, _: &[u8]) -> io::Result<()> {
    let error = "abstract sockets are of Linux alone";
    Err(io::Error::new(io::ErrorKind::Unsupported, error))
}
