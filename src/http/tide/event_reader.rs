//! A stream of events, as a response of tide.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use futures_lite::{AsyncBufRead, AsyncRead, ready};
use http_types::Body;

use crate::http::events::EventStream;

/// Reads the events of a stream.
struct EventReader {
    /// A body has to be `Sync`: no other thread ever waits for the lock.
    events: Mutex<EventStream>,
    /// What was not read of the last event.
    rest: Bytes,
}

impl AsyncBufRead for EventReader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            let events = this.events.get_mut();
            let events = events.unwrap_or_else(PoisonError::into_inner);
            this.rest = ready!(events.poll_bytes(cx)).unwrap_or_default();
        }
        Poll::Ready(Ok(&this.rest))
    }

    fn consume(mut self: Pin<&mut Self>, bytes: usize) {
        self.rest.advance(bytes);
    }
}

impl AsyncRead for EventReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let bytes = ready!(self.as_mut().poll_fill_buf(cx))?;
        let length = bytes.len().min(out.len());
        out[..length].copy_from_slice(&bytes[..length]);
        self.consume(length);
        Poll::Ready(Ok(length))
    }
}

impl From<EventStream> for http_types::Response {
    fn from(events: EventStream) -> Self {
        let reader = EventReader {
            events: Mutex::new(events),
            rest: Bytes::new(),
        };
        let mut response = Self::new(200);
        response.set_body(Body::from_reader(reader, None));
        for (name, value) in EventStream::FIELDS {
            response.insert_header(name, value);
        }
        response
    }
}

impl From<EventStream> for tide::Response {
    fn from(events: EventStream) -> Self {
        http_types::Response::from(events).into()
    }
}
