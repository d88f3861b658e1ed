//! A response's body that does what a test says.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

/// What a body does when it is polled.
pub(crate) enum Step {
    Data(Bytes),
    Trailers(HeaderMap),
    /// Is pending, and wakes its task at once.
    Wait,
    Fail,
    Panic,
    /// Has an empty frame, now and ever after.
    EmptyForEver,
}

/// A body that makes its steps one after the other, and then ends.
pub(crate) struct Scripted {
    steps: VecDeque<Step>,
    hint: SizeHint,
}

impl Scripted {
    /// Makes a body that does not know its length.
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Scripted {
        Scripted {
            steps: steps.into_iter().collect(),
            hint: SizeHint::default(),
        }
    }

    /// Has the body claim to be of this length.
    pub(crate) fn claiming(self, length: u64) -> Scripted {
        Scripted {
            hint: SizeHint::with_exact(length),
            ..self
        }
    }
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.steps.pop_front() {
            None => Poll::Ready(None),
            Some(Step::Data(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Some(Step::Trailers(trailers)) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Some(Step::Wait) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Step::Fail) => Poll::Ready(Some(Err(io::ErrorKind::BrokenPipe.into()))),
            Some(Step::Panic) => panic!("the body"),
            Some(Step::EmptyForEver) => {
                self.steps.push_front(Step::EmptyForEver);
                Poll::Ready(Some(Ok(Frame::data(Bytes::new()))))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

/// Returns bytes that differ from place to place: those from `start` on, of a text that has no end.
pub(crate) fn pattern(start: usize, length: usize) -> Bytes {
    let byte = |at: usize| (at % 251) as u8 ^ (at / 251 % 241) as u8;
    (start..start + length).map(byte).collect()
}

/// Returns frames of these sizes, of one text.
pub(crate) fn frames(sizes: &[usize]) -> Vec<Step> {
    let mut start = 0;
    let frame = |&size| {
        let frame = pattern(start, size);
        start += size;
        Step::Data(frame)
    };
    sizes.iter().map(frame).collect()
}
