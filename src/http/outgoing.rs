//! A response on its way out.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_lite::{AsyncRead, AsyncWrite, ready};
use http_types::{Method, Response, StatusCode, trailers};

use super::buffer::{self, SIZE};
use super::clock::after;
use super::codec::{self, Persistence, Refusal, ResponseFraming, ResponseHead};
use super::connection::Connection;
use super::wire::State;

/// How much is sent at once, in bytes: about what a socket's buffer takes.
const PART: usize = 4 * SIZE;
/// Room for a chunk's size in four hexadecimal digits, and its line end.
const SIZE_LINE: usize = 6;

/// What a response has to know of its request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) method: Method,
    /// Whether it was of HTTP/1.0.
    pub(super) old: bool,
    /// Whether the client would keep the connection.
    pub(super) keep_alive: bool,
}

/// How a response that was sent leaves its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// It stays.
    Keep,
    /// It closes.
    Close,
    /// It is no longer HTTP.
    Upgrade,
}

/// A response on its way out: the head and what there is of the body go in one write.
///
/// A hand-written future beside the response itself, so that the usual response is sent in the first poll from where it is.
pub(super) struct Outgoing {
    body: ResponseFraming,
    sent: Sent,
    /// How much of the body is still to come from the response.
    left: u64,
    /// The end of a chunked body, if the handler has promised one.
    trailers: Option<trailers::Receiver>,
    /// Bytes to be written, and how many of them were.
    out: Vec<u8>,
    written: usize,
    /// Whether the last byte is in `out`.
    ended: bool,
    /// Since when the peer takes nothing.
    stalled: Option<Instant>,
    /// Whether a reset by the peer is looked for: not while the body is read from the same socket.
    watching: bool,
}

impl Outgoing {
    /// Writes the head, and with it decides for good whether the connection closes.
    #[inline(always)]
    pub(super) fn new(
        connection: &mut Connection,
        response: &Response,
        asked: Asked,
        close: bool,
        watching: bool,
    ) -> Self {
        let body = ResponseFraming::of(response, asked.method, asked.old);
        let upgrade = response.has_upgrade() && response.status() == StatusCode::SwitchingProtocols;
        let close = close || !asked.keep_alive || body == ResponseFraming::UntilClose;
        let persistence = match (upgrade, close || !connection.shared.lifecycle.is_serving()) {
            (true, _) => Persistence::Upgrade,
            (false, true) => Persistence::Close,
            (false, false) if asked.old => Persistence::KeepSaid,
            (false, false) => Persistence::Keep,
        };
        let mut out = buffer::writing();
        let head = ResponseHead {
            response,
            method: asked.method,
            framing: body,
            persistence,
        };
        let sent = match head.write(&mut out) {
            Persistence::Keep | Persistence::KeepSaid => Sent::Keep,
            Persistence::Close => Sent::Close,
            Persistence::Upgrade => Sent::Upgrade,
        };
        connection.until_close = body == ResponseFraming::UntilClose;
        connection.wire.enter(State::Responding);
        Self::from_head(body, sent, out, watching)
    }

    /// An answer without the app, after which the connection closes.
    pub(super) fn refusal(connection: &mut Connection, refusal: Refusal) -> Self {
        let mut out = buffer::writing();
        codec::write_refusal(refusal, &mut out);
        connection.wire.enter(State::Responding);
        Self::from_head(ResponseFraming::Empty, Sent::Close, out, false)
    }

    fn from_head(body: ResponseFraming, sent: Sent, out: Vec<u8>, watching: bool) -> Self {
        let left = match body {
            ResponseFraming::Empty => 0,
            ResponseFraming::Length(length) => length,
            ResponseFraming::Chunked | ResponseFraming::UntilClose => u64::MAX,
        };
        Self {
            body,
            sent,
            left,
            trailers: None,
            out,
            written: 0,
            ended: body == ResponseFraming::Empty,
            stalled: None,
            watching,
        }
    }

    /// Sends on: the head, and what comes of the body of `response`.
    ///
    /// # Errors
    ///
    /// The response is cut: the peer is gone or takes nothing, or the body broke off.
    pub(super) fn poll(
        &mut self,
        response: &mut Response,
        connection: &mut Connection,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Sent>> {
        loop {
            // The first time round the head waits in `out` for the body's first part.
            if !self.ended {
                self.ended = ready!(self.poll_fill(response, connection, cx))?;
            }
            ready!(self.poll_write(connection, cx))?;
            if self.ended {
                return Poll::Ready(Ok(self.sent));
            }
            self.out.clear();
            self.written = 0;
        }
    }

    /// Writes `out`, unless the peer takes none of it for too long.
    fn poll_write(
        &mut self,
        connection: &mut Connection,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.written < self.out.len() {
            let rest = &self.out[self.written..];
            match Pin::new(&mut &connection.wire.stream).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(bytes)) => {
                    self.written += bytes;
                    self.stalled = None;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    let since = *self.stalled.get_or_insert_with(Instant::now);
                    let deadline = after(since, connection.shared.options.write_timeout);
                    ready!(connection.clock.poll(cx, deadline));
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Appends to `out` what comes of the body without waiting; true at its end.
    ///
    /// Ready when there is something to write, be it only the head.
    fn poll_fill(
        &mut self,
        response: &mut Response,
        connection: &mut Connection,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<bool>> {
        // What was filled and not written yet is written first.
        while self.written == 0 && self.left > 0 && self.out.len() < PART {
            match self.poll_part(response, cx) {
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) => return self.poll_end(response, cx).map(Ok),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if !self.out.is_empty() => return Poll::Ready(Ok(false)),
                Poll::Pending => {
                    // A stream that is quiet should not outlive the one it is for.
                    ready!(connection.poll_gone(cx, &mut self.watching));
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
            }
        }
        Poll::Ready(Ok(self.left == 0))
    }

    /// Appends one part of the body; false at its end.
    fn poll_part(
        &mut self,
        response: &mut Response,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<bool>> {
        let line = match self.body {
            ResponseFraming::Chunked => SIZE_LINE,
            _ => 0,
        };
        let start = self.out.len();
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(SIZE);
        self.out.resize(start + line + room, 0);
        let read = Pin::new(response).poll_read(cx, &mut self.out[start + line..]);
        let Poll::Ready(Ok(bytes @ 1..)) = read else {
            self.out.truncate(start);
            return read.map(|end| match (end, self.body) {
                (Ok(_), ResponseFraming::Length(_)) => Err(io::ErrorKind::UnexpectedEof.into()),
                (end, _) => end.map(|_| false),
            });
        };
        self.out.truncate(start + line + bytes);
        self.left -= bytes as u64;
        if line > 0 {
            let size = format!("{bytes:x}\r\n");
            // A size of fewer digits than there is room for: only short chunks are moved.
            let unused = SIZE_LINE - size.len();
            self.out[start + unused..start + SIZE_LINE].copy_from_slice(size.as_bytes());
            self.out.drain(start..start + unused);
            self.out.extend_from_slice(b"\r\n");
        }
        Poll::Ready(Ok(true))
    }

    /// Appends what comes behind the body; true when it is there.
    fn poll_end(&mut self, response: &mut Response, cx: &mut Context<'_>) -> Poll<bool> {
        if self.body != ResponseFraming::Chunked {
            return Poll::Ready(true);
        }
        if self.trailers.is_none() && response.has_trailers() {
            // It panics if the handler has taken the receiver itself.
            let response = AssertUnwindSafe(response);
            self.trailers = catch_unwind(move || { response }.recv_trailers()).ok();
        }
        let trailers = match &mut self.trailers {
            None => None,
            Some(receiver) => ready!(Pin::new(receiver).poll(cx)),
        };
        codec::write_last_chunk(trailers.as_ref(), &mut self.out);
        Poll::Ready(true)
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        buffer::written(std::mem::take(&mut self.out));
    }
}
