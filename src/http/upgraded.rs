//! A connection that is no longer HTTP.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_channel::{Receiver, Sender};
use futures_lite::{AsyncRead, AsyncWrite, ready};

use super::socket::{Budget, ReadBuffer, Socket};

/// Hands a connection that is no longer HTTP over to the handler that waits for it.
pub(super) type HandOver = Box<dyn FnOnce(Upgraded) + Send>;

/// What a handler gets after `101 Switching Protocols`: the bytes that came behind the request's
/// head, and then the socket.
///
/// The server counts the connection as its own until this is dropped, and cuts it at the deadline of the
/// drain. See [`RequestContext::upgrade`](super::RequestContext::upgrade).
///
/// # Fairness
///
/// A read or a write is pending once in a while, and wakes its task, also where the peer is always ready: the
/// others have their turn.
pub struct Upgraded {
    socket: Arc<Socket>,
    buffer: ReadBuffer,
    budget: Budget,
    /// Closed when this is dropped: so the connection, which is still counted, learns of its end.
    _open: Sender<Infallible>,
}

impl Upgraded {
    /// Takes the socket and the buffer; also returns the receiver that is closed when the handler has
    /// dropped them.
    pub(super) fn new(
        socket: &Arc<Socket>,
        buffer: ReadBuffer,
        budget: Budget,
    ) -> (Self, Receiver<Infallible>) {
        let (open, closed) = async_channel::bounded(1);
        let upgraded = Self {
            socket: Arc::clone(socket),
            buffer,
            budget,
            _open: open,
        };
        (upgraded, closed)
    }

    /// Calls the socket, unless others are to have their turn before.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        call: impl FnOnce(&Socket, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.budget.is_spent() {
            ready!(self.budget.poll_yield(cx));
        }
        let polled = call(&self.socket, cx);
        match &polled {
            Poll::Ready(Ok(bytes)) => self.budget.spend(Budget::SYSCALL, *bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.budget.renew(),
        }
        polled
    }
}

impl AsyncRead for Upgraded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.buffer.is_empty() {
            return self.poll(cx, |socket, cx| socket.poll_read(cx, out));
        }
        Poll::Ready(Ok(self.buffer.take(out)))
    }
}

impl AsyncWrite for Upgraded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(cx, |socket, cx| socket.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &self.socket.stream).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &self.socket.stream).poll_close(cx)
    }
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgraded")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}
