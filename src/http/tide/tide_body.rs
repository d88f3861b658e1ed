//! The body of a response of `http_types`, as one of `http-body`.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_lite::ready;
use http_body::{Frame, SizeHint};

use super::answer::TideAnswer;
use super::frame_reader::Promise;
use crate::http::codec::AnswerHead;
use crate::http::door::{Answer, Part};

/// The body of a response of a tide app, as one of `http-body`.
pub struct TideBody {
    /// `None` once it has come to its end.
    answer: Option<TideAnswer>,

    /// How many bytes are left, if that is known.
    left: Option<u64>,

    /// Ends with the answer, as the body of the request does.
    _promise: Option<Promise>,
}

impl TideBody {
    pub(super) fn new(answer: TideAnswer, promise: Option<Promise>) -> Self {
        Self {
            left: answer.length(),
            answer: Some(answer),
            _promise: promise,
        }
    }

    pub(super) fn empty() -> Self {
        Self {
            answer: None,
            left: Some(0),
            _promise: None,
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

#[cfg(test)]
mod tests {
    use futures_lite::future::{block_on, poll_fn};
    use http_body::Body;
    use http_types::Response;

    use super::*;
    use crate::http::socket::BUFFER_SIZE;

    #[test]
    fn the_hint_is_of_what_is_left() {
        let length = 3 * BUFFER_SIZE as u64;
        let answer = TideAnswer::from(Response::from(vec![0; length as usize]));
        let (mut body, mut seen) = (TideBody::new(answer, None), 0);
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
