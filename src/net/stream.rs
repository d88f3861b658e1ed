//! One accepted connection.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_io::Async;
use futures_lite::{AsyncRead, AsyncWrite, ready};
use socket2::SockRef;

use super::endpoint::Endpoint;
use super::memory::link::End;
#[cfg(all(feature = "http", any(target_os = "linux", target_os = "android")))]
use super::unsent::unsent;

/// An accepted connection, over TCP or a Unix socket; or an end of one [in memory](crate::test::Network).
///
/// It can be read and written by reference, so that one task can read while another writes.
///
/// # Cancel safety
///
/// A read or write that is dropped before it is ready has taken or sent nothing.
///
/// # Examples
///
/// ```
/// use std::net::Shutdown;
/// use futures_lite::AsyncWriteExt;
/// use neap::net::Stream;
///
/// async fn greet(mut stream: Stream) -> std::io::Result<()> {
///     let greeting = format!("{} greets {}\n", stream.local_addr(), stream.peer_addr());
///     stream.write_all(greeting.as_bytes()).await?;
///     stream.shutdown(Shutdown::Write)
/// }
/// # drop(greet);
/// ```
#[derive(Debug)]
pub struct Stream {
    io: Io,
    local: Endpoint,
    peer: Endpoint,
}

#[derive(Debug)]
enum Io {
    Tcp(Async<TcpStream>),
    #[cfg(unix)]
    Unix(Async<UnixStream>),
    Memory(End),
}

/// Evaluates the same expression for either kind of socket, or another for one in memory.
macro_rules! each {
    ($io:expr, $socket:ident => $body:expr, $end:ident => $in_memory:expr) => {
        match $io {
            Io::Tcp($socket) => $body,
            #[cfg(unix)]
            Io::Unix($socket) => $body,
            Io::Memory($end) => $in_memory,
        }
    };
}

impl Stream {
    /// Adopts a TCP connection. The listener has set its `TCP_NODELAY`.
    pub(super) fn tcp(stream: TcpStream, local: Endpoint, peer: Endpoint) -> io::Result<Self> {
        let io = Io::Tcp(Async::new(stream)?);
        Ok(Self { io, local, peer })
    }

    /// Adopts a Unix connection.
    #[cfg(unix)]
    pub(super) fn unix(stream: UnixStream, local: Endpoint, peer: Endpoint) -> io::Result<Self> {
        let io = Io::Unix(Async::new(stream)?);
        Ok(Self { io, local, peer })
    }

    /// Makes a connection of one end of it in memory.
    pub(super) fn memory(end: End, local: Endpoint, peer: Endpoint) -> Self {
        let io = Io::Memory(end);
        Self { io, local, peer }
    }

    /// Returns where the connection arrived.
    #[must_use]
    pub fn local_addr(&self) -> &Endpoint {
        &self.local
    }

    /// Returns where the connection comes from.
    #[must_use]
    pub fn peer_addr(&self) -> &Endpoint {
        &self.peer
    }

    /// Reads the bytes that have arrived, without waiting. At the end of the stream it returns 0.
    ///
    /// # Errors
    ///
    /// Returns `WouldBlock` if nothing has arrived, else the error of the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn example(stream: neap::net::Stream) {
    /// let mut buffer = [0; 512];
    /// match stream.try_read(&mut buffer) {
    ///     Ok(0) => println!("the peer has closed its side"),
    ///     Ok(length) => println!("{length} bytes were there"),
    ///     Err(error) => println!("{error}"),
    /// }
    /// # }
    /// ```
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        each!(&self.io, socket => retry(|| socket.get_ref().read(buffer)), end => end.try_read(buffer))
    }

    /// Writes the bytes that fit into the kernel's buffer, without waiting, and returns their number.
    ///
    /// # Errors
    ///
    /// Returns `WouldBlock` if nothing fits, else the error of the socket.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        each!(&self.io, socket => retry(|| socket.get_ref().write(bytes)), end => end.try_write(bytes))
    }

    /// Writes the bytes of several parts that fit into the kernel's buffer, as
    /// [`try_write`](Stream::try_write) does.
    fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        each!(
            &self.io,
            socket => retry(|| socket.get_ref().write_vectored(parts)),
            end => {
                let first = parts.iter().find(|part| !part.is_empty());
                end.try_write(first.map_or(&[], |part| part))
            }
        )
    }

    /// Waits until a read would not block. Only one task at a time may wait.
    ///
    /// # Errors
    ///
    /// Returns the error of the reactor.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(&self.io, socket => socket.poll_readable(cx), end => end.poll_readable(cx))
    }

    /// Returns how many of the bytes that were written the peer has not taken, as far as the system tells:
    /// on Linux. A close with bytes that were not read takes them from the peer.
    #[cfg(feature = "http")]
    pub(crate) fn unsent(&self) -> usize {
        each!(&self.io, socket => unsent(socket), end => end.unsent())
    }

    /// Closes one direction or both. If it closes writing, the peer reads an end of file.
    ///
    /// # Errors
    ///
    /// Returns the error of the socket: `NotConnected` if the peer has closed the connection already.
    pub fn shutdown(&self, side: Shutdown) -> io::Result<()> {
        each!(&self.io, socket => socket.get_ref().shutdown(side), end => end.shutdown(side))
    }

    /// Makes the close a reset: the peer reads an error instead of an end of file (`SO_LINGER` 0).
    ///
    /// Use it to cut a stream whose peer would take an end of file for a good end. A Unix socket
    /// has no reset: its peer reads an end of file all the same.
    ///
    /// # Errors
    ///
    /// Returns the error of the socket.
    pub fn reset_on_close(&self) -> io::Result<()> {
        let at_once = Some(std::time::Duration::ZERO);
        each!(
            &self.io,
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

impl AsyncRead for &Stream {
    /// Tries before it waits: bytes that are there already cost no turn of the reactor.
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
            ready!(self.poll_readable(cx))?;
        }
    }
}

impl AsyncWrite for &Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
            ready!(
                each!(&self.io, socket => socket.poll_writable(cx), end => end.poll_writable(cx))
            )?;
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.try_write_vectored(parts) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
            ready!(
                each!(&self.io, socket => socket.poll_writable(cx), end => end.poll_writable(cx))
            )?;
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(match self.shutdown(Shutdown::Write) {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Err(error),
            _ => Ok(()),
        })
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write_vectored(cx, parts)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_close(cx)
    }
}
