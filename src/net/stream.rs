//! One accepted connection.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_io::Async;
use futures_lite::{AsyncRead, AsyncWrite, ready};
use socket2::SockRef;

use super::Addr;

/// An accepted connection, over TCP or a Unix socket.
///
/// Reads and writes as any async stream does, also by reference, so that one task can read while
/// another writes.
///
/// # Cancel safety
///
/// A read or write that is dropped before it is ready has taken or sent nothing.
///
/// # Examples
///
/// ```
/// use futures_lite::AsyncWriteExt;
/// use neap::net::Stream;
///
/// async fn greet(mut stream: Stream) -> std::io::Result<()> {
///     stream.write_all(format!("hello, {}\n", stream.peer_addr()).as_bytes()).await
/// }
/// # drop(greet);
/// ```
#[derive(Debug)]
pub struct Stream {
    io: Io,
    local: Addr,
    peer: Addr,
}

#[derive(Debug)]
enum Io {
    Tcp(Async<TcpStream>),
    #[cfg(unix)]
    Unix(Async<UnixStream>),
}

/// The same expression on either kind of socket.
macro_rules! each {
    ($io:expr, $socket:ident => $body:expr) => {
        match $io {
            Io::Tcp($socket) => $body,
            #[cfg(unix)]
            Io::Unix($socket) => $body,
        }
    };
}

impl Stream {
    /// Takes a TCP connection. `TCP_NODELAY` is the listener's business.
    pub(super) fn tcp(stream: TcpStream, local: Addr, peer: Addr) -> io::Result<Self> {
        let io = Io::Tcp(Async::new(stream)?);
        Ok(Self { io, local, peer })
    }

    /// Takes a Unix connection.
    #[cfg(unix)]
    pub(super) fn unix(stream: UnixStream, local: Addr, peer: Addr) -> io::Result<Self> {
        let io = Io::Unix(Async::new(stream)?);
        Ok(Self { io, local, peer })
    }

    /// Where the connection arrived.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn example(stream: neap::net::Stream) {
    /// println!("arrived at {}", stream.local_addr());
    /// # }
    /// ```
    #[must_use]
    pub fn local_addr(&self) -> &Addr {
        &self.local
    }

    /// Where the connection comes from.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn example(stream: neap::net::Stream) {
    /// println!("from {}", stream.peer_addr());
    /// # }
    /// ```
    #[must_use]
    pub fn peer_addr(&self) -> &Addr {
        &self.peer
    }

    /// Reads what is there, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing is there, else the socket's own.
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
        each!(&self.io, socket => retry(|| socket.get_ref().read(buffer)))
    }

    /// Writes what fits into the kernel's buffer, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing fits, else the socket's own.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn example(stream: neap::net::Stream) -> std::io::Result<()> {
    /// let written = stream.try_write(b"bye\n")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        each!(&self.io, socket => retry(|| socket.get_ref().write(bytes)))
    }

    /// Waits until a read would not block. One task at a time may wait.
    ///
    /// # Errors
    ///
    /// The reactor's.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(&self.io, socket => socket.poll_readable(cx))
    }

    /// Closes one side or both; the peer sees an end of file.
    ///
    /// # Errors
    ///
    /// The socket's own, `NotConnected` if the peer was faster.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn example(stream: neap::net::Stream) -> std::io::Result<()> {
    /// stream.shutdown(std::net::Shutdown::Write)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn shutdown(&self, side: Shutdown) -> io::Result<()> {
        each!(&self.io, socket => socket.get_ref().shutdown(side))
    }

    /// Makes the close a reset: the peer sees an error instead of an end of file (`SO_LINGER` 0).
    ///
    /// For a stream that is cut where an end of file would pass for a good end. A Unix socket has
    /// no reset; its peer sees an end of file all the same.
    ///
    /// # Errors
    ///
    /// The socket's own.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn example(stream: neap::net::Stream) -> std::io::Result<()> {
    /// stream.reset_on_close()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn reset_on_close(&self) -> io::Result<()> {
        let at_once = Some(std::time::Duration::ZERO);
        each!(&self.io, socket => SockRef::from(socket.get_ref()).set_linger(at_once))
    }
}

/// A signal handler in between is no reason to report anything.
fn retry(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

impl AsyncRead for &Stream {
    /// Tries before it waits: what is there already costs no turn of the reactor.
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
            ready!(each!(&self.io, socket => socket.poll_writable(cx)))?;
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

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_close(cx)
    }
}
