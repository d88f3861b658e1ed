//! The socket below a connection, of either kind.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::task::{Context, Poll};

use async_io::Async;
use socket2::SockRef;

use super::memory::link::End;
#[cfg(all(feature = "http", any(target_os = "linux", target_os = "android")))]
use super::unsent::unsent;

/// The socket below a connection: over TCP, of the Unix family, or an end of one in memory.
#[derive(Debug)]
pub(super) enum RawSocket {
    Tcp(Async<TcpStream>),
    #[cfg(unix)]
    Unix(Async<UnixStream>),
    Memory(End),
}

/// Evaluates the same expression for either kind of socket, or another for one in memory.
macro_rules! each {
    ($io:expr, $socket:ident => $body:expr, $end:ident => $in_memory:expr) => {
        match $io {
            RawSocket::Tcp($socket) => $body,
            #[cfg(unix)]
            RawSocket::Unix($socket) => $body,
            RawSocket::Memory($end) => $in_memory,
        }
    };
}

impl RawSocket {
    /// Reads what has arrived, without waiting. At the end of the stream it returns 0.
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        each!(self, socket => retry(|| socket.get_ref().read(buffer)), end => end.try_read(buffer))
    }

    /// Writes what fits into the kernel's buffer, without waiting, and returns how many bytes those are.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        each!(self, socket => retry(|| socket.get_ref().write(bytes)), end => end.try_write(bytes))
    }

    /// Writes what fits of several parts, as [`try_write`](RawSocket::try_write) does.
    pub(super) fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        each!(
            self,
            socket => retry(|| socket.get_ref().write_vectored(parts)),
            end => {
                let first = parts.iter().find(|part| !part.is_empty());
                end.try_write(first.map_or(&[], |part| part))
            }
        )
    }

    /// Waits until a read would not block. Only one task at a time may wait.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, socket => socket.poll_readable(cx), end => end.poll_readable(cx))
    }

    /// Waits until a write would not block. Only one task at a time may wait.
    pub(super) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, socket => socket.poll_writable(cx), end => end.poll_writable(cx))
    }

    /// Waits until the kernel has taken all that was written: it has.
    pub(super) fn poll_sent(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Returns true if the kernel has taken bytes that were written before: it never has.
    #[cfg(feature = "http")]
    pub(super) fn take_moved(&self) -> bool {
        false
    }

    /// Has the peer told that nothing more comes: the shutdown tells it.
    pub(super) fn end(&self) {}

    /// Has what comes read as it is: it always is.
    #[cfg(any(feature = "http", feature = "tls"))]
    pub(super) fn discard(&self) {}

    /// Returns how many bytes that were written the peer has not taken, as far as the system tells.
    #[cfg(feature = "http")]
    pub(super) fn unsent(&self) -> usize {
        each!(self, socket => unsent(socket), end => end.unsent())
    }

    /// Closes one direction or both.
    pub(super) fn shutdown(&self, side: Shutdown) -> io::Result<()> {
        each!(self, socket => socket.get_ref().shutdown(side), end => end.shutdown(side))
    }

    /// Makes the close a reset.
    pub(super) fn reset_on_close(&self) -> io::Result<()> {
        let at_once = Some(std::time::Duration::ZERO);
        each!(
            self,
            socket => SockRef::from(socket.get_ref()).set_linger(at_once),
            end => {
                end.reset_on_close();
                Ok(())
            }
        )
    }
}

/// Not asked for: each of the other systems has its own way.
#[cfg(all(feature = "http", not(any(target_os = "linux", target_os = "android"))))]
fn unsent<T>(_: &T) -> usize {
    0
}

/// Repeats a call that a signal has interrupted.
fn retry(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
