//! The body of a request.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use ::http::HeaderMap;
use bytes::{Bytes, BytesMut};
use futures_lite::ready;
use http_body::{Frame, SizeHint};

use crate::http::body_handle::BodyHandle;
use crate::http::socket::BUFFER_SIZE;

/// The most bytes of one frame: at first, and of a body that comes fast.
const SHORTEST: usize = BUFFER_SIZE / 2;
const LARGEST: usize = 4 * BUFFER_SIZE;

/// The body of a request: a [`http_body::Body`] of [`Bytes`], and of the trailers of a chunked one.
///
/// A client that waits for `100 Continue` is asked for its body when this is first polled. What is read
/// after the answer, or after the connection was cut, is an error.
///
/// # Errors
///
/// A frame is an [`io::Error`] if the body breaks off, breaks the grammar (RFC 9112, 7.1), is longer than
/// [`max_body`](crate::http::Server::max_body), or too slow. The client is told which, if the handler fails
/// for it.
///
/// # Examples
///
/// ```
/// use axum::http::{Request, Response, StatusCode};
/// use http_body_util::BodyExt;
/// use neap::http;
///
/// let app = http::from_fn(async |request: Request<http::Body>| {
///     let mut response = Response::new(String::new());
///     match request.into_body().collect().await {
///         Ok(body) => *response.body_mut() = format!("{} bytes", body.to_bytes().len()),
///         Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
///     }
///     response
/// });
/// let service = http::serve(app, "127.0.0.1:0");
/// # let mut group = neap::Group::new();
/// # group.add("http", service);
/// ```
#[derive(Debug, Default)]
pub struct Body(Option<Incoming>);

/// What is to come of a body.
#[derive(Debug)]
struct Incoming {
    handle: BodyHandle,
    /// How many bytes are left, if that is known.
    left: Option<u64>,
    trailers: Option<Arc<Mutex<Option<HeaderMap>>>>,
    /// Memory for the next frames.
    space: BytesMut,
    /// The most bytes of the next frame: all of them are cleared before. It grows with what comes.
    longest: usize,
}

impl Body {
    /// Makes the body of a request that has none.
    #[must_use]
    pub fn empty() -> Body {
        Body(None)
    }

    /// Makes the body of a request, of a length that may be known. If it is not, there may be trailers.
    pub(super) fn new(handle: BodyHandle, length: Option<u64>) -> Body {
        let trailers = length.is_none().then(|| {
            let trailers = Arc::new(Mutex::new(None));
            let slot = Arc::clone(&trailers);
            handle.on_trailers(move |map| {
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(map);
            });
            trailers
        });
        Body(Some(Incoming {
            handle,
            left: length,
            trailers,
            space: BytesMut::new(),
            longest: SHORTEST,
        }))
    }
}

impl Incoming {
    /// Reads bytes; none at the end of the body.
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        if self.left == Some(0) {
            return Poll::Ready(Ok(Bytes::new()));
        }
        let left = self.left.and_then(|left| usize::try_from(left).ok());
        let most = left.unwrap_or(self.longest).min(self.longest);
        self.space.resize(most, 0);
        let read = self.handle.poll_read(cx, &mut self.space);
        if !matches!(read, Poll::Ready(Ok(1..))) {
            // Thousands of bodies that wait would hold as many buffers.
            self.space = BytesMut::new();
        }
        let bytes = ready!(read)?;
        if bytes == self.longest {
            self.longest = (2 * self.longest).min(LARGEST);
        }
        if let Some(left) = &mut self.left {
            *left -= bytes as u64;
        }
        // Who keeps a frame keeps all of its memory: a byte per chunk would else cost as much as 64 KiB.
        Poll::Ready(Ok(match bytes < most / 2 {
            true => Bytes::copy_from_slice(&self.space[..bytes]),
            false => self.space.split_to(bytes).freeze(),
        }))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Some(incoming) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let bytes = match ready!(incoming.poll_data(cx)) {
            Ok(bytes) => bytes,
            // It stays: each later read has the same error.
            Err(error) => return Poll::Ready(Some(Err(error))),
        };
        if !bytes.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        let trailers = incoming.trailers.take();
        self.0 = None;
        let trailers = trailers.and_then(|trailers| {
            let mut trailers = trailers.lock().unwrap_or_else(PoisonError::into_inner);
            trailers.take()
        });
        Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        let incoming = self.0.as_ref();
        incoming.is_none_or(|incoming| incoming.left == Some(0))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            None => SizeHint::with_exact(0),
            Some(incoming) => incoming
                .left
                .map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}
