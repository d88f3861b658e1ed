//! A connection that is no longer HTTP.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_channel::{Receiver, Sender};
use futures_lite::{AsyncRead, AsyncWrite};

use super::socket::{ReadBuffer, Socket};

/// Hands a connection that is no longer HTTP over to the handler that waits for it.
pub(super) type HandOver = Box<dyn FnOnce(Upgraded) + Send>;

/// What a handler gets after `101 Switching Protocols`: the bytes that came behind the request's
/// head, and then the socket.
///
/// The server counts the connection as its own until this is dropped, and cuts it at the deadline of the
/// drain. See [`RequestContext::upgrade`](super::RequestContext::upgrade).
#[derive(Debug)]
pub struct Upgraded {
    socket: Arc<Socket>,
    buffer: ReadBuffer,
    /// Closed when this is dropped: so the connection, which is still counted, learns of its end.
    _open: Sender<Infallible>,
}

impl Upgraded {
    /// Takes the socket and the buffer; also returns the receiver that is closed when the handler has
    /// dropped them.
    pub(super) fn new(socket: &Arc<Socket>, buffer: ReadBuffer) -> (Self, Receiver<Infallible>) {
        let (open, closed) = async_channel::bounded(1);
        let upgraded = Self {
            socket: Arc::clone(socket),
            buffer,
            _open: open,
        };
        (upgraded, closed)
    }
}

impl AsyncRead for Upgraded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.buffer.is_empty() {
            return self.socket.poll_read(cx, out);
        }
        Poll::Ready(Ok(self.buffer.take(out)))
    }
}

impl AsyncWrite for Upgraded {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &self.socket.stream).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &self.socket.stream).poll_close(cx)
    }
}
