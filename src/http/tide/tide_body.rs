//! Bodies of `http_types` as those of `http-body`, and the other way round.

use std::fmt;
use std::future::Future;
use std::io;
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
        let Some(answer) = &mut self.answer else {
            return Poll::Ready(None);
        };
        let mut answer = Pin::new(answer);
        let mut bytes = Vec::new();
        let part = ready!(answer.as_mut().poll_part(cx, &mut bytes, usize::MAX));
        Poll::Ready(match part {
            Ok(Part::Copied(_)) => Some(Ok(self.frame(bytes.into()))),
            Ok(Part::Whole(bytes)) => Some(Ok(self.frame(bytes))),
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
            body: Box::pin(body),
            data: Bytes::new(),
            trailers,
        })),
    )
}

/// Reads the frames of a body. In a mutex, as `http_types` asks for `Sync`: it is never locked.
struct Reader<B: http_body::Body>(Mutex<Frames<B>>);

struct Frames<B: http_body::Body> {
    body: Pin<Box<B>>,
    /// What is left of the last frame.
    data: Bytes,
    trailers: Option<trailers::Sender>,
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
        loop {
            if !frames.data.is_empty() {
                let bytes = frames.data.len().min(out.len());
                frames.data.copy_to_slice(&mut out[..bytes]);
                return Poll::Ready(Ok(bytes));
            }
            match ready!(frames.body.as_mut().poll_frame(cx)) {
                None => return Poll::Ready(Ok(0)),
                Some(Err(error)) => return Poll::Ready(Err(to_io(error.into()))),
                Some(Ok(frame)) => match frame.into_data() {
                    // Of `Bytes` this is no copy.
                    Ok(mut data) => frames.data = data.copy_to_bytes(data.remaining()),
                    Err(frame) => {
                        if let (Ok(map), Some(sender)) =
                            (frame.into_trailers(), frames.trailers.take())
                        {
                            send(sender, &map);
                        }
                    }
                },
            }
        }
    }
}

/// Returns the error that a body ended with: as it is, if it is one of I/O.
fn to_io(error: BoxError) -> io::Error {
    match error.downcast::<io::Error>() {
        Ok(error) => *error,
        Err(error) => io::Error::other(error),
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
