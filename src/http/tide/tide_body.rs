//! Bodies of `http_types` as those of `http-body`, and the other way round.

use std::fmt;
use std::future::Future;
use std::io;
use std::iter::successors;
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use ::http::HeaderMap;
use bytes::{Buf, Bytes};
use futures_lite::{AsyncBufRead, AsyncRead, io::BufReader, ready};
use http_body::{Frame, SizeHint};
use http_types::trailers;

use super::answer::TideAnswer;
use super::fields;
use crate::http::codec::AnswerHead;
use crate::http::door::{Answer, Part};
use crate::http::socket::BUFFER_SIZE;
use crate::service::exit::BoxError;

/// The body of a response of a tide app, as one of `http-body`.
pub struct TideBody {
    /// `None` once it has come to its end.
    answer: Option<TideAnswer>,

    /// How many bytes are left, if that is known.
    left: Option<u64>,
}

impl TideBody {
    pub(super) fn new(answer: TideAnswer) -> Self {
        Self {
            left: answer.length(),
            answer: Some(answer),
        }
    }

    pub(super) fn empty() -> Self {
        Self {
            answer: None,
            left: Some(0),
        }
    }

    /// Counts bytes, and makes a frame of them.
    fn frame(&mut self, bytes: Bytes) -> Frame<Bytes> {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(bytes.len() as u64);
        }
        Frame::data(bytes)
    }
}

impl http_body::Body for TideBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let is_short = self.left.is_some_and(|left| left > 0);
        let Some(answer) = &mut self.answer else {
            return Poll::Ready(None);
        };
        let mut answer = Pin::new(answer);
        let mut bytes = Vec::new();
        let part = ready!(answer.as_mut().poll_part(cx, &mut bytes, usize::MAX));
        Poll::Ready(match part {
            Ok(Part::Copied(_)) => Some(Ok(self.frame(bytes.into()))),
            Ok(Part::Whole(bytes)) => Some(Ok(self.frame(bytes))),
            Ok(Part::End) if is_short => {
                self.answer = None;
                Some(Err(io::ErrorKind::UnexpectedEof.into()))
            }
            Ok(Part::End) => {
                let trailers = ready!(answer.poll_trailers(cx));
                self.answer = None;
                trailers.map(|trailers| Ok(Frame::trailers(trailers)))
            }
            Err(error) => {
                self.answer = None;
                Some(Err(error))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.answer.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.left;
        left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl fmt::Debug for TideBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TideBody").finish_non_exhaustive()
    }
}

/// Makes a reader of a body of `http-body`. The trailers go to the sender.
pub(super) fn reader<B>(
    body: B,
    trailers: Option<trailers::Sender>,
) -> impl AsyncBufRead + Send + Sync + Unpin + 'static
where
    B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    BufReader::with_capacity(
        BUFFER_SIZE,
        Reader(Mutex::new(Frames {
            left: body.size_hint().exact(),
            body: Rest::Open(Box::pin(body)),
            data: Bytes::new(),
            trailers,
        })),
    )
}

/// Reads the frames of a body. In a mutex, as `http_types` asks for `Sync`: it is never locked.
struct Reader<B: http_body::Body>(Mutex<Frames<B>>);

struct Frames<B: http_body::Body> {
    body: Rest<B>,
    /// How many bytes are to come from the body, if it has said so.
    left: Option<u64>,
    /// What is left of the last frame.
    data: Bytes,
    trailers: Option<trailers::Sender>,
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
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let frames = self.get_mut().0.get_mut();
        let frames = frames.unwrap_or_else(PoisonError::into_inner);
        while frames.data.is_empty() {
            let body = match &mut frames.body {
                Rest::Open(body) => body,
                Rest::Ended => return Poll::Ready(Ok(0)),
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
        let bytes = frames.data.len().min(out.len());
        frames.data.copy_to_slice(&mut out[..bytes]);
        Poll::Ready(Ok(bytes))
    }
}

impl<B: http_body::Body> Frames<B> {
    fn take(&mut self, frame: Frame<B::Data>) {
        match frame.into_data() {
            Ok(mut data) => {
                // Of `Bytes` this is no copy.
                self.data = data.copy_to_bytes(data.remaining());
                let left = self.left.as_mut();
                left.map(|left| *left = left.saturating_sub(self.data.len() as u64));
            }
            Err(frame) => {
                if let (Ok(map), Some(sender)) = (frame.into_trailers(), self.trailers.take()) {
                    send(sender, &map);
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
        self.trailers = None;
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

/// Sends trailers to a handler, without those that `http_types` cannot hold.
pub(super) fn send(sender: trailers::Sender, map: &HeaderMap) {
    let trailers = fields::trailers(map);
    // The channel has room for its only message, so the send is ready at once.
    let _ = pin!(sender.send(trailers)).poll(&mut Context::from_waker(Waker::noop()));
}

#[cfg(test)]
mod tests {
    use futures_lite::future::{block_on, poll_fn};
    use http_body::Body;
    use http_types::Response;

    use super::*;

    #[test]
    fn the_hint_is_of_what_is_left() {
        let length = 3 * BUFFER_SIZE as u64;
        let answer = TideAnswer::from(Response::from(vec![0; length as usize]));
        let (mut body, mut seen) = (TideBody::new(answer), 0);
        assert_eq!(body.size_hint().exact(), Some(length));
        let mut next = || block_on(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)));
        while let Some(frame) = next() {
            seen += frame.unwrap().into_data().unwrap().len() as u64;
            if seen == BUFFER_SIZE as u64 {
                break;
            }
        }
        assert!(seen > 0 && seen < length);
        assert_eq!(body.size_hint().exact(), Some(length - seen));
    }
}
