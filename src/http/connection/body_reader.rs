//! The handler's end of a request's body.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_lite::{AsyncBufRead, AsyncRead, ready};
use http_types::{Body, Request};

use super::body_owner::BodyOwner;
use super::request_body::RequestBody;
use super::transport::Transport;
use crate::http::codec::{Refusal, RequestFraming, RequestHead};
use crate::http::socket::{BUFFER_SIZE, ReadBuffer};

/// The handler's end of a request's body.
pub(super) struct BodyReader {
    body: Arc<RequestBody>,
    /// Bytes that `fill_buf` has read; empty as long as only `read` is used, and during a wait.
    ahead: ReadBuffer,
}

/// Gives a request its body, if it has one, and returns the connection's end of it.
///
/// # Errors
///
/// The body is longer than the server accepts.
#[inline(always)]
pub(super) fn attach_body(
    transport: &mut Transport,
    request: &mut Request,
    head: RequestHead,
) -> Result<Option<BodyOwner>, Refusal> {
    match head.framing {
        RequestFraming::Empty => Ok(None),
        _ => attach(transport, request, head).map(Some),
    }
}

fn attach(
    transport: &mut Transport,
    request: &mut Request,
    head: RequestHead,
) -> Result<BodyOwner, Refusal> {
    let (length, trailers) = match head.framing {
        RequestFraming::Length(length) if length > transport.context.settings.max_body => {
            return Err(Refusal::body_too_long());
        }
        RequestFraming::Length(length) => (usize::try_from(length).ok(), None),
        RequestFraming::Empty | RequestFraming::Chunked => (None, Some(request.send_trailers())),
    };
    let body = Arc::new(RequestBody::new(transport, head, trailers));
    let reader = BodyReader {
        body: Arc::clone(&body),
        ahead: ReadBuffer::default(),
    };
    request.set_body(Body::from_reader(reader, length));
    Ok(BodyOwner::new(body))
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
        }
        Poll::Ready(Ok(this.ahead.filled()))
    }

    fn consume(mut self: Pin<&mut Self>, bytes: usize) {
        let consumed = bytes.min(self.ahead.len());
        self.ahead.consume(consumed);
    }
}
