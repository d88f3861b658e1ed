//! The body of a request of `http`, for one of `http_types`.

use std::io;
use std::iter::successors;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use futures_lite::{AsyncBufRead, AsyncRead, ready};
use http_body::Frame;
use http_types::{Request, trailers};

use super::fields::send_trailers;
use super::read_turns::ReadTurns;
use crate::service::exit::BoxError;
use crate::sync::{Mutex, lock};

/// Where the trailers of a request go. Empty once they were sent, or will not come.
type Trailers = Arc<Mutex<Option<trailers::Sender>>>;

/// The promise of trailers, as long as the exchange lasts. Its drop tells a handler that waits for them, though
/// nothing reads the body, that there are none.
pub(super) struct Promise(Trailers);

impl Drop for Promise {
    fn drop(&mut self) {
        let sender = lock(&self.0).take();
        // Outside of the lock: it wakes the handler's task.
        drop(sender);
    }
}

/// Gives a request its body. If the length is not known, there may be trailers.
pub(super) fn attach<B>(request: &mut Request, body: B) -> Option<Promise>
where
    B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    if body.is_end_stream() {
        return None;
    }
    let length = body.size_hint().exact();
    let promise = || Arc::new(Mutex::new(Some(request.send_trailers())));
    let trailers = length.is_none().then(promise);
    let promise = trailers.clone().map(Promise);
    let frames = Frames {
        body: Rest::Open(Box::pin(body)),
        left: length,
        data: Bytes::new(),
        turns: ReadTurns::default(),
        trailers,
    };
    let reader = Reader(std::sync::Mutex::new(frames));
    let length = length.and_then(|length| usize::try_from(length).ok());
    request.set_body(http_types::Body::from_reader(reader, length));
    promise
}

/// Reads the frames of a body. In a mutex, as `http_types` asks for `Sync`: it is never locked.
struct Reader<B: http_body::Body>(std::sync::Mutex<Frames<B>>);

struct Frames<B: http_body::Body> {
    body: Rest<B>,
    /// How many bytes are to come from the body, if it has said so.
    left: Option<u64>,
    /// What is left of the last frame.
    data: Bytes,
    turns: ReadTurns,
    trailers: Option<Trailers>,
}

/// What is to come of a body. One that has ended is not asked again: it may panic, or wait for ever.
enum Rest<B> {
    Open(Pin<Box<B>>),
    Ended,
    Failed(io::ErrorKind),
}

impl<B> AsyncRead for Reader<B>
where
    B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let data = ready!(self.as_mut().poll_fill_buf(cx))?;
        let bytes = data.len().min(out.len());
        out[..bytes].copy_from_slice(&data[..bytes]);
        self.consume(bytes);
        Poll::Ready(Ok(bytes))
    }
}

impl<B> AsyncBufRead for Reader<B>
where
    B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send,
{
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let frames = self.get_mut().frames();
        ready!(frames.turns.poll(cx));
        while frames.data.is_empty() {
            let body = match &mut frames.body {
                Rest::Open(body) => body,
                Rest::Ended => break,
                Rest::Failed(kind) => return Poll::Ready(Err(io::Error::from(*kind))),
            };
            match ready!(body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => frames.take(frame),
                Some(Err(error)) => return Poll::Ready(Err(frames.fail(to_io(error.into())))),
                None if frames.left.is_some_and(|left| left > 0) => {
                    let error = "the request's body is shorter than it has said";
                    let error = io::Error::new(io::ErrorKind::UnexpectedEof, error);
                    return Poll::Ready(Err(frames.fail(error)));
                }
                None => frames.end(Rest::Ended),
            }
        }
        Poll::Ready(Ok(&frames.data))
    }

    fn consume(self: Pin<&mut Self>, bytes: usize) {
        let data = &mut self.get_mut().frames().data;
        data.advance(bytes.min(data.len()));
    }
}

impl<B: http_body::Body> Reader<B> {
    fn frames(&mut self) -> &mut Frames<B> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: http_body::Body> Frames<B> {
    fn take(&mut self, frame: Frame<B::Data>) {
        match frame.into_data() {
            Ok(mut data) => {
                // Of `Bytes` this is no copy.
                self.data = data.copy_to_bytes(data.remaining());
                if let Some(left) = &mut self.left {
                    *left = left.saturating_sub(self.data.len() as u64);
                }
            }
            Err(frame) => {
                let sender = self.take_sender();
                if let (Ok(map), Some(sender)) = (frame.into_trailers(), sender) {
                    send_trailers(sender, &map);
                }
            }
        }
    }

    /// Ends the body with an error. All later reads have one of the same kind: what has come is not whole.
    fn fail(&mut self, error: io::Error) -> io::Error {
        self.end(Rest::Failed(error.kind()));
        error
    }

    /// Drops the body, and tells who waits for trailers that there are none.
    fn end(&mut self, rest: Rest<B>) {
        self.body = rest;
        drop(self.take_sender());
    }

    fn take_sender(&mut self) -> Option<trailers::Sender> {
        let trailers = self.trailers.take()?;
        lock(&trailers).take()
    }
}

/// Returns the error that a body ended with: as it is, if it is one of I/O, or else of the kind of its cause.
/// A `Router` of axum has all errors of a body in one of its own.
fn to_io(error: BoxError) -> io::Error {
    match error.downcast::<io::Error>() {
        Ok(error) => *error,
        Err(error) => {
            let mut causes = successors(error.source(), |cause| cause.source());
            let cause = causes.find_map(|cause| cause.downcast_ref::<io::Error>());
            io::Error::new(cause.map_or(io::ErrorKind::Other, io::Error::kind), error)
        }
    }
}
