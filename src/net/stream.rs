//! One accepted connection.

use std::io::{self, IoSlice};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::task::{Context, Poll};

use async_io::Async;

use super::endpoint::Endpoint;
use super::ends::Ends;
use super::memory::link::End;
use super::raw_socket::RawSocket;
#[cfg(all(feature = "http", feature = "tls"))]
use super::tls::TlsClient;
#[cfg(feature = "tls")]
use super::tls::{TlsAcceptor, TlsHandle, TlsInfo, TlsSession, TlsSocket};

/// An accepted connection, over TCP or a Unix socket; or an end of one [in memory](crate::test::Network).
///
/// It can be read and written by reference, so that one task can read while another writes.
///
/// # Cancel safety
///
/// A read or write that is dropped before it is ready has taken or sent nothing.
///
/// # TLS
///
/// Over TLS a write is ready when its bytes are encrypted, and the kernel may not have taken all of that: up to
/// 65 KiB more than it has room for. What is left is written by the next read, write, flush or close, whichever
/// comes first, and by the server once the handler has returned. So a handler that waits for something else
/// flushes before, as behind any buffer.
///
/// A drop tells the peer of the end (`close_notify`, RFC 8446, 6.1). A peer that closes and has not told so reads as an
/// error, `UnexpectedEof`: what it has sent may have been cut by somebody else.
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
    ends: Ends,
}

#[derive(Debug)]
enum Io {
    Raw(RawSocket),
    #[cfg(feature = "tls")]
    Tls(TlsHandle),
}

/// Evaluates the same expression for a bare socket and for one with TLS.
macro_rules! either {
    ($io:expr, $socket:ident => $body:expr) => {
        match $io {
            Io::Raw($socket) => $body,
            #[cfg(feature = "tls")]
            Io::Tls($socket) => $body,
        }
    };
}

impl Stream {
    /// Adopts a TCP connection. The listener has set its `TCP_NODELAY`.
    pub(super) fn tcp(stream: TcpStream, local: Endpoint, peer: Endpoint) -> io::Result<Self> {
        let io = Io::Raw(RawSocket::Tcp(Async::new(stream)?));
        let ends = Ends::new(local, peer);
        Ok(Self { io, ends })
    }

    /// Adopts a Unix connection.
    #[cfg(unix)]
    pub(super) fn unix(stream: UnixStream, local: Endpoint, peer: Endpoint) -> io::Result<Self> {
        let io = Io::Raw(RawSocket::Unix(Async::new(stream)?));
        let ends = Ends::new(local, peer);
        Ok(Self { io, ends })
    }

    /// Makes a connection of one end of it in memory.
    pub(super) fn memory(end: End, local: Endpoint, peer: Endpoint) -> Self {
        let io = Io::Raw(RawSocket::Memory(end));
        let ends = Ends::new(local, peer);
        Self { io, ends }
    }

    /// Puts TLS above the socket of a connection that was accepted. Its handshake is still to come.
    #[cfg(feature = "tls")]
    pub(crate) fn with_tls(self, tls: &TlsAcceptor) -> Self {
        self.with_session(tls.session())
    }

    /// Puts TLS above the socket of a client. Its handshake is still to come.
    #[cfg(all(feature = "http", feature = "tls"))]
    pub(crate) fn with_tls_of(self, tls: &TlsClient) -> Self {
        self.with_session(tls.session())
    }

    #[cfg(feature = "tls")]
    fn with_session(self, session: TlsSession) -> Self {
        let io = match self.io {
            Io::Raw(socket) => Io::Tls(TlsHandle::new(socket, session)),
            io => io,
        };
        Self { io, ..self }
    }

    /// Returns what was agreed on in the TLS handshake; `None` if there is no TLS.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.over_tls()?.info()
    }

    /// Returns the socket with TLS, to keep it when this is dropped.
    #[cfg(feature = "tls")]
    pub(super) fn keep_socket(&self) -> Option<Arc<TlsSocket>> {
        self.over_tls().map(TlsHandle::keep)
    }

    /// Returns true if there is TLS, also before its handshake.
    #[cfg(feature = "http")]
    pub(crate) fn has_tls(&self) -> bool {
        !matches!(self.io, Io::Raw(_))
    }

    /// Returns the socket with TLS, if it is one.
    #[cfg(feature = "tls")]
    pub(super) fn over_tls(&self) -> Option<&TlsHandle> {
        match &self.io {
            Io::Raw(_) => None,
            Io::Tls(handle) => Some(handle),
        }
    }

    /// Returns true if the peer has begun its handshake.
    #[cfg(feature = "tls")]
    pub(crate) fn has_begun_handshake(&self) -> bool {
        self.over_tls().is_some_and(|socket| socket.has_heard())
    }

    /// Returns true if the first bytes of a TLS record have come, and not all of them; false without TLS.
    ///
    /// Until its last byte has come, nothing of a record can be read. A handler that closes idle connections
    /// at the stop asks this behind a read that was `WouldBlock`: the peer may have begun to say something. What
    /// comes of it may also be nothing to read, as a change of keys, so the wait for the rest needs a limit.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn example(stream: neap::net::Stream, bytes: &mut [u8]) -> bool {
    /// let is_idle = stream.try_read(bytes).is_err() && !stream.is_amid_record();
    /// # is_idle }
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn is_amid_record(&self) -> bool {
        self.over_tls()
            .is_some_and(|socket| socket.is_amid_record())
    }

    /// Goes on with the handshake of TLS, if there is one.
    ///
    /// # Errors
    ///
    /// The peer has broken the protocol, and is told how, or it is gone.
    #[cfg(feature = "tls")]
    pub(crate) fn poll_handshake(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.over_tls() {
            Some(socket) => socket.poll_handshake(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Returns where the connection arrived; with a `ProxyProtocol`, where the client has connected to.
    #[must_use]
    pub fn local_addr(&self) -> &Endpoint {
        self.ends.local()
    }

    /// Returns where the connection comes from; with a `ProxyProtocol`, where the client is.
    #[must_use]
    pub fn peer_addr(&self) -> &Endpoint {
        self.ends.peer()
    }

    /// Returns both ends.
    #[cfg(feature = "proxy-protocol")]
    pub(super) fn ends(&self) -> &Ends {
        &self.ends
    }

    /// Returns the socket, below TLS.
    #[cfg(feature = "proxy-protocol")]
    pub(super) fn below(&self) -> &RawSocket {
        match &self.io {
            Io::Raw(socket) => socket,
            #[cfg(feature = "tls")]
            Io::Tls(handle) => handle.socket(),
        }
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
        either!(&self.io, socket => socket.try_read(buffer))
    }

    /// Writes the bytes that fit into the kernel's buffer, without waiting, and returns their number.
    ///
    /// # Errors
    ///
    /// Returns `WouldBlock` if nothing fits, else the error of the socket.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        either!(&self.io, socket => socket.try_write(bytes))
    }

    /// Writes the bytes of several parts that fit into the kernel's buffer, as
    /// [`try_write`](Stream::try_write) does.
    pub(super) fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        either!(&self.io, socket => socket.try_write_vectored(parts))
    }

    /// Waits until a read would not block. Only one task at a time may wait.
    ///
    /// # Errors
    ///
    /// Returns the error of the reactor.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(&self.io, socket => socket.poll_readable(cx))
    }

    /// Waits until a write would not block. Only one task at a time may wait.
    ///
    /// # Errors
    ///
    /// Returns the error of the reactor.
    pub(super) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(&self.io, socket => socket.poll_writable(cx))
    }

    /// Waits until the socket has taken all that was written. Only over TLS it may not have.
    ///
    /// # Errors
    ///
    /// Returns the error of the socket.
    pub(crate) fn poll_sent(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(&self.io, socket => socket.poll_sent(cx))
    }

    /// Returns true if the socket has taken bytes, since this was last asked, that were written before. Only over
    /// TLS it may have.
    #[cfg(feature = "http")]
    pub(crate) fn take_moved(&self) -> bool {
        either!(&self.io, socket => socket.take_moved())
    }

    /// Has the peer told, behind all that was written, that nothing more will be: over TLS. The socket is still
    /// to be shut down.
    pub(crate) fn end(&self) {
        either!(&self.io, socket => socket.end())
    }

    /// Has the bytes that come from now on read as they are, to be dropped: over TLS they are not decrypted.
    #[cfg(any(feature = "http", feature = "tls"))]
    pub(crate) fn discard(&self) {
        either!(&self.io, socket => socket.discard())
    }

    /// Returns how many of the bytes that were written the peer has not taken, as far as the system tells:
    /// on Linux. A close with bytes that were not read takes them from the peer.
    #[cfg(feature = "http")]
    pub(crate) fn unsent(&self) -> usize {
        either!(&self.io, socket => socket.unsent())
    }

    /// Closes one direction or both. If it closes writing, the peer reads an end of file.
    ///
    /// # Errors
    ///
    /// Returns the error of the socket: `NotConnected` if the peer has closed the connection already. Over TLS
    /// `WouldBlock`, if writing is to be closed and the kernel has not taken all that was written: nothing is
    /// closed then. `AsyncWriteExt::close` waits for that, and then closes writing.
    pub fn shutdown(&self, side: Shutdown) -> io::Result<()> {
        either!(&self.io, socket => socket.shutdown(side))
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
        either!(&self.io, socket => socket.reset_on_close())
    }
}
