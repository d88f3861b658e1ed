//! The handler's end of a request's body.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_lite::{AsyncBufRead, AsyncRead, ready};
use http_types::{Body, Request};

use super::request_body::RequestBody;
use super::transport::Transport;
use crate::http::codec::{Refusal, RequestFraming, RequestHead};
use crate::http::socket::BUFFER_SIZE;

/// The handler's end of a request's body.
pub(super) struct BodyReader {
    body: Arc<RequestBody>,
    /// Bytes that `fill_buf` has read; empty as long as only `read` is used.
    ahead: Vec<u8>,
    /// How many of them were consumed.
    consumed: usize,
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
) -> Result<Option<Arc<RequestBody>>, Refusal> {
    match head.framing {
        RequestFraming::Empty => Ok(None),
        _ => attach(transport, request, head).map(Some),
    }
}

fn attach(
    transport: &mut Transport,
    request: &mut Request,
    head: RequestHead,
) -> Result<Arc<RequestBody>, Refusal> {
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
        ahead: Vec::new(),
        consumed: 0,
    };
    request.set_body(Body::from_reader(reader, length));
    Ok(body)
}

impl AsyncRead for BodyReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let ahead = &self.ahead[self.consumed..];
        if ahead.is_empty() {
            return self.body.poll_read(cx, out);
        }
        let taken = ahead.len().min(out.len());
        out[..taken].copy_from_slice(&ahead[..taken]);
        self.consumed += taken;
        Poll::Ready(Ok(taken))
    }
}

impl AsyncBufRead for BodyReader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.consumed == this.ahead.len() {
            this.ahead.resize(BUFFER_SIZE, 0);
            let read = this.body.poll_read(cx, &mut this.ahead);
            this.consumed = 0;
            let filled = match read {
                Poll::Ready(Ok(bytes)) => bytes,
                Poll::Ready(Err(_)) | Poll::Pending => 0,
            };
            this.ahead.truncate(filled);
            ready!(read)?;
        }
        Poll::Ready(Ok(&this.ahead[this.consumed..]))
    }

    fn consume(mut self: Pin<&mut Self>, bytes: usize) {
        self.consumed = (self.consumed + bytes).min(self.ahead.len());
    }
}
