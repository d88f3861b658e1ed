//! A connection that is no longer HTTP.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_channel::{Receiver, Sender};
use futures_lite::{AsyncRead, AsyncWrite, future};
use http_types::Response;

use super::close::CloseMode;
use super::transport::Transport;
use crate::executor::panic::catch;
use crate::http::socket::{ConnState, ReadBuffer, Socket};

/// What a handler gets after `101 Switching Protocols`: the bytes that came behind the request's
/// head, and then the socket.
#[derive(Debug)]
struct Upgraded {
    socket: Arc<Socket>,
    buffer: ReadBuffer,
    /// Closed when this is dropped: so the connection, which is still counted, learns of its end.
    _open: Sender<Infallible>,
}

impl Upgraded {
    /// Takes the socket and the buffer; also returns the receiver that is closed when the handler has
    /// dropped them.
    fn new(transport: &mut Transport) -> (Self, Receiver<Infallible>) {
        let (open, closed) = async_channel::bounded(1);
        let upgraded = Self {
            socket: Arc::clone(&transport.socket),
            buffer: std::mem::take(&mut transport.buffer),
            _open: open,
        };
        (upgraded, closed)
    }
}

/// Gives the socket to the handler, and waits until the handler has dropped it, or, if the server does
/// not wait for upgraded connections, until the drain. What the handler still holds ends with the drain then.
/// Returns how the connection is closed.
pub(super) async fn upgrade(transport: &mut Transport, mut response: Response) -> CloseMode {
    let (upgraded, closed) = Upgraded::new(transport);
    transport.socket.enter(ConnState::Upgraded);
    // `send_upgrade` panics if the handler has taken the sender itself.
    let sender = catch(|| response.send_upgrade());
    let Ok(sender) = sender else {
        return CloseMode::Linger;
    };
    let upgraded = http_types::upgrade::Connection::new(upgraded);
    sender.send(upgraded).await;
    drop(response);
    // The last words of the handler are on their way to the peer, which may still be sending.
    let closed = async {
        let _ = closed.recv().await;
        CloseMode::Linger
    };
    if transport.context.settings.wait_upgraded {
        return closed.await;
    }
    let context = &transport.context;
    let draining = async {
        context.lifecycle.draining().stopped().await;
        context.registry.leave_open(&transport.socket);
        CloseMode::AtOnce
    };
    future::or(closed, draining).await
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
