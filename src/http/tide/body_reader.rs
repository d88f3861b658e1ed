//! The handler's end of a request's body.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_lite::{AsyncBufRead, AsyncRead, ready};
use http_types::{Body, Request};

use super::fields::send_trailers;
use super::read_turns::ReadTurns;
use crate::http::body_handle::BodyHandle;
use crate::http::socket::{BUFFER_SIZE, ReadBuffer};

/// The handler's end of a request's body.
struct BodyReader {
    body: BodyHandle,
    /// Bytes that `fill_buf` has read; empty as long as only `read` is used, and during a wait.
    ahead: ReadBuffer,
    turns: ReadTurns,
}

/// Gives a request its body, of a length that may be known. If it is not, there may be trailers.
pub(super) fn attach(request: &mut Request, body: BodyHandle, length: Option<u64>) {
    if length.is_none() {
        let sender = request.send_trailers();
        body.on_trailers(|trailers| send_trailers(sender, &trailers));
    }
    let reader = BodyReader {
        body,
        ahead: ReadBuffer::default(),
        turns: ReadTurns::default(),
    };
    let length = length.and_then(|length| usize::try_from(length).ok());
    request.set_body(Body::from_reader(reader, length));
}

impl AsyncRead for BodyReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.ahead.is_empty() {
            return self.body.poll_read(cx, out);
        }
        ready!(self.turns.poll(cx));
        Poll::Ready(Ok(self.ahead.take(out)))
    }
}

impl AsyncBufRead for BodyReader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.ahead.is_empty() {
            let read = this.body.poll_read(cx, this.ahead.space(BUFFER_SIZE));
            if let Poll::Ready(Ok(bytes)) = read {
                this.ahead.advance(bytes);
            }
            if this.ahead.is_empty() {
                this.ahead.release();
            }
            ready!(read)?;
        } else {
            ready!(this.turns.poll(cx));
        }
        Poll::Ready(Ok(this.ahead.filled()))
    }

    fn consume(mut self: Pin<&mut Self>, bytes: usize) {
        let consumed = bytes.min(self.ahead.len());
        self.ahead.consume(consumed);
    }
}
