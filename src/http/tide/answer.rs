//! What the connection asks of a response of `http_types`.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use ::http::{HeaderMap, StatusCode};
use futures_lite::{AsyncBufRead, AsyncRead, ready};
use http_types::{Response, Trailers, trailers};

use super::fields::append;
use crate::executor::panic::catch;
use crate::http::codec::AnswerHead;
use crate::http::door::{Answer, Part};
use crate::http::socket::BUFFER_SIZE;
use crate::http::upgraded::HandOver;

/// Bytes that are there of a body are written from where they are if they are at least as many.
const MANY: usize = 4 * BUFFER_SIZE;
/// The most bytes that are read of a body at once: reading a file, each read is a task of another thread.
const LONGEST_READ: usize = 8 * BUFFER_SIZE;

/// A response of `http_types`, while it is sent.
#[derive(Debug)]
pub struct TideAnswer {
    /// With its body: taken out, it would leave a `Content-Type` behind in a response that has none.
    response: Response,
    length: Option<u64>,
    /// Whether the body may have many bytes in memory. One that is read from elsewhere has few.
    is_ahead: bool,
    /// How many bytes are read at once, as many as come; none once the body has ended.
    read: usize,
    /// The trailers, if the handler has promised some, and they are awaited.
    trailers: Option<trailers::Receiver>,
}

impl From<Response> for TideAnswer {
    fn from(response: Response) -> Self {
        let length = response.len();
        let is_long = length.is_some_and(|length| length >= LONGEST_READ);
        Self {
            length: length.map(|length| length as u64),
            response,
            is_ahead: true,
            read: if is_long { LONGEST_READ } else { BUFFER_SIZE },
            trailers: None,
        }
    }
}

impl AnswerHead for TideAnswer {
    const IS_CHECKED: bool = false;

    fn status(&self) -> StatusCode {
        let status = StatusCode::from_u16(self.response.status().into());
        status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn length(&self) -> Option<u64> {
        self.length
    }

    fn visit_fields(&self, mut field: impl FnMut(&str, &[u8])) {
        for (name, values) in self.response.iter() {
            for value in values.iter() {
                field(name.as_str(), value.as_str().as_bytes());
            }
        }
    }
}

impl Answer for TideAnswer {
    fn has_upgrade(&self) -> bool {
        self.response.has_upgrade()
    }

    fn poll_part(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Vec<u8>,
        most: usize,
    ) -> Poll<io::Result<Part>> {
        if self.read == 0 {
            return Poll::Ready(Ok(Part::End));
        }
        let most = most.min(self.read);
        let start = out.len();
        out.resize(start + most, 0);
        let read = Pin::new(&mut self.response).poll_read(cx, &mut out[start..]);
        let bytes = match &read {
            Poll::Ready(Ok(bytes)) => *bytes,
            Poll::Ready(Err(_)) | Poll::Pending => 0,
        };
        out.truncate(start + bytes);
        // What is read into is cleared before.
        if bytes == self.read {
            self.read = (2 * self.read).min(LONGEST_READ);
        } else if bytes < most / 4 {
            self.read = (self.read / 2).max(BUFFER_SIZE);
        }
        Poll::Ready(Ok(match ready!(read)? {
            0 => {
                // It is not read again while the trailers are awaited.
                self.read = 0;
                Part::End
            }
            bytes => Part::Copied(bytes),
        }))
    }

    fn ahead(self: Pin<&mut Self>, cx: &mut Context<'_>) -> &[u8] {
        let this = self.get_mut();
        if !this.is_ahead {
            return &[];
        }
        match Pin::new(&mut this.response).poll_fill_buf(cx) {
            Poll::Ready(Ok(bytes)) if bytes.len() >= MANY => bytes,
            // What comes of it now comes of the next read too.
            polled => {
                this.is_ahead = polled.is_pending();
                &[]
            }
        }
    }

    fn consume(mut self: Pin<&mut Self>, bytes: usize) {
        Pin::new(&mut self.response).consume(bytes);
    }

    fn poll_trailers(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<HeaderMap>> {
        let this = &mut *self;
        if this.trailers.is_none() && this.response.has_trailers() {
            // `recv_trailers` panics if the handler has taken the receiver itself.
            this.trailers = catch(|| this.response.recv_trailers()).ok();
        }
        let Some(receiver) = &mut this.trailers else {
            return Poll::Ready(None);
        };
        let trailers = ready!(Pin::new(receiver).poll(cx));
        Poll::Ready(trailers.map(|trailers| to_map(&trailers)))
    }

    fn take_upgrade(mut self: Pin<&mut Self>) -> Option<HandOver> {
        // `send_upgrade` panics if the handler has taken the sender itself.
        let sender = catch(|| self.response.send_upgrade()).ok()?;
        Some(Box::new(|upgraded| {
            let upgraded = http_types::upgrade::Connection::new(upgraded);
            // The channel has room for its only message, so the send is ready at once.
            let _ = pin!(sender.send(upgraded)).poll(&mut Context::from_waker(Waker::noop()));
        }))
    }
}

/// Copies trailers.
fn to_map(trailers: &Trailers) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, values) in trailers.iter() {
        for value in values.iter() {
            append(&mut map, name.as_str(), value.as_str().as_bytes());
        }
    }
    map
}
