//! The handler's end of a request's body.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use ::http::HeaderMap;
use futures_lite::{AsyncBufRead, AsyncRead, ready};
use http_types::{Body, Request, Trailers, trailers};

use super::names::header_name;
use crate::http::body_handle::BodyHandle;
use crate::http::socket::{BUFFER_SIZE, ReadBuffer};

/// The handler's end of a request's body.
struct BodyReader {
    body: BodyHandle,
    /// Bytes that `fill_buf` has read; empty as long as only `read` is used, and during a wait.
    ahead: ReadBuffer,
}

/// Gives a request its body, of a length that may be known. If it is not, there may be trailers.
pub(super) fn attach(request: &mut Request, body: BodyHandle, length: Option<u64>) {
    if length.is_none() {
        let sender = request.send_trailers();
        body.on_trailers(|trailers| send(sender, &trailers));
    }
    let reader = BodyReader {
        body,
        ahead: ReadBuffer::default(),
    };
    let length = length.and_then(|length| usize::try_from(length).ok());
    request.set_body(Body::from_reader(reader, length));
}

/// Sends the trailers to the handler, without those that `http_types` cannot hold.
fn send(sender: trailers::Sender, map: &HeaderMap) {
    let mut trailers = Trailers::new();
    for (name, value) in map {
        let name = header_name(name.as_str());
        let value = std::str::from_utf8(value.as_bytes()).ok();
        if let (Some(name), Some(value)) = (name, value.filter(|value| value.is_ascii())) {
            trailers.append(name, value);
        }
    }
    // The channel has room for its only message, so the send is ready at once.
    let _ = pin!(sender.send(trailers)).poll(&mut Context::from_waker(Waker::noop()));
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
