//! A connection that is no longer HTTP.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_channel::{Receiver, Sender};
use futures_lite::{AsyncRead, AsyncWrite};

use super::buffer::Buffer;
use super::wire::Wire;

/// What a handler gets after `101 Switching Protocols`: the bytes that came behind the request's
/// head, and then the socket.
#[derive(Debug)]
pub(super) struct Upgraded {
    wire: Arc<Wire>,
    buffer: Buffer,
    /// Closed with this: so the connection, which stays counted, knows when it has ended.
    _open: Sender<Infallible>,
}

impl Upgraded {
    /// The transport, and what is closed once it has been dropped.
    pub(super) fn new(wire: Arc<Wire>, buffer: Buffer) -> (Self, Receiver<Infallible>) {
        let (open, closed) = async_channel::bounded(1);
        let upgraded = Self {
            wire,
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
            return Pin::new(&mut &self.wire.stream).poll_read(cx, out);
        }
        let taken = self.buffer.len().min(out.len());
        out[..taken].copy_from_slice(&self.buffer.filled()[..taken]);
        self.buffer.consume(taken);
        Poll::Ready(Ok(taken))
    }
}

impl AsyncWrite for Upgraded {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &self.wire.stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &self.wire.stream).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &self.wire.stream).poll_close(cx)
    }
}
