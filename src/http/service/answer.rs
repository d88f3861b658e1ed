//! What the connection asks of a response of `http`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::http::header::CONTENT_LENGTH;
use ::http::response::Parts;
use ::http::{HeaderMap, Response, StatusCode};
use bytes::{Buf, Bytes};
use futures_lite::ready;
use pin_project_lite::pin_project;

use crate::http::codec::AnswerHead;
use crate::http::door::{Answer, Part};
use crate::http::request_context::UpgradeEnd;
use crate::http::upgraded::HandOver;
use crate::service::exit::BoxError;

/// Parts of at least this many bytes are written from where they are. To copy fewer costs less than
/// another buffer in the call.
const LARGE: usize = 8 * 1024;
/// The most bytes of one part: others have their turn between two of them.
const LARGEST: usize = 1024 * 1024;

pin_project! {
    /// A response of `http`, while it is sent.
    pub struct ServiceAnswer<B> {
        parts: Parts,
        #[pin]
        body: Option<B>,
        // The length of the body, if it is known.
        length: Option<u64>,
        // What was not copied of the last frame.
        data: Bytes,
        trailers: Option<HeaderMap>,
        upgrade: Option<UpgradeEnd>,
    }
}

impl<B> ServiceAnswer<B> {
    /// Makes the answer of a response. `upgrade` is there if the handler may have asked for the connection.
    ///
    /// The body is asked for its length here, in the app's future, where it may panic.
    pub(super) fn new(response: Response<B>, upgrade: Option<UpgradeEnd>) -> Self
    where
        B: http_body::Body,
    {
        let (parts, body) = response.into_parts();
        Self {
            length: body.size_hint().exact().or_else(|| said(&parts.headers)),
            body: Some(body),
            upgrade: upgrade.filter(UpgradeEnd::is_asked),
            ..Self::empty(parts)
        }
    }

    pub(super) fn empty(parts: Parts) -> Self {
        Self {
            parts,
            body: None,
            length: Some(0),
            data: Bytes::new(),
            trailers: None,
            upgrade: None,
        }
    }
}

impl<B> AnswerHead for ServiceAnswer<B>
where
    B: http_body::Body<Error: Into<BoxError>>,
{
    const IS_CHECKED: bool = true;

    fn status(&self) -> StatusCode {
        self.parts.status
    }

    fn length(&self) -> Option<u64> {
        self.length
    }

    #[inline(always)]
    fn visit_fields(&self, mut field: impl FnMut(&str, &[u8])) {
        for (name, value) in &self.parts.headers {
            field(name.as_str(), value.as_bytes());
        }
    }
}

/// Returns the length that a handler says of a stream, which does not know its own: that of a download.
fn said(fields: &HeaderMap) -> Option<u64> {
    let mut lengths = fields.get_all(CONTENT_LENGTH).iter();
    let (Some(length), None) = (lengths.next(), lengths.next()) else {
        return None;
    };
    // `parse` takes a sign, too.
    let digits = length.to_str().ok()?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

impl<B> Answer for ServiceAnswer<B>
where
    B: http_body::Body<Error: Into<BoxError>>,
{
    fn has_upgrade(&self) -> bool {
        self.upgrade.is_some()
    }

    fn poll_part(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Vec<u8>,
        most: usize,
    ) -> Poll<io::Result<Part>> {
        let mut this = self.project();
        if this.data.is_empty() {
            let Some(body) = this.body.as_mut().as_pin_mut() else {
                return Poll::Ready(Ok(Part::End));
            };
            match ready!(body.poll_frame(cx)) {
                None => return Poll::Ready(Ok(Part::End)),
                Some(Err(error)) => {
                    let error = io::Error::other(error.into());
                    return Poll::Ready(Err(error));
                }
                Some(Ok(frame)) => match frame.into_data() {
                    // Of `Bytes` this is no copy.
                    Ok(mut data) => *this.data = data.copy_to_bytes(data.remaining()),
                    Err(frame) => {
                        if let Ok(trailers) = frame.into_trailers() {
                            this.trailers.get_or_insert_default().extend(trailers);
                        }
                        return Poll::Ready(Ok(Part::Copied(0)));
                    }
                },
            }
        }
        if this.data.len() >= LARGE {
            let part = this.data.split_to(LARGEST.min(this.data.len()));
            return Poll::Ready(Ok(Part::Whole(part)));
        }
        let part = this.data.split_to(most.min(this.data.len()));
        out.extend_from_slice(&part);
        Poll::Ready(Ok(Part::Copied(part.len())))
    }

    fn poll_trailers(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<HeaderMap>> {
        Poll::Ready(self.project().trailers.take())
    }

    fn take_upgrade(self: Pin<&mut Self>) -> Option<HandOver> {
        let upgrade = self.project().upgrade.take()?;
        Some(Box::new(|upgraded| upgrade.send(upgraded)))
    }
}

impl<B> std::fmt::Debug for ServiceAnswer<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceAnswer")
            .field("status", &self.parts.status)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Waker;

    use http_body_util::Full;

    use super::*;

    /// Returns the lengths of the parts of a body that is one frame of that length.
    fn parts(length: usize) -> Vec<usize> {
        let body = Full::new(Bytes::from(vec![0; length]));
        let mut answer = pin!(ServiceAnswer::new(Response::new(body), None));
        let mut cx = Context::from_waker(Waker::noop());
        let mut parts = Vec::new();
        loop {
            let (mut out, most) = (Vec::new(), 1000);
            let part = answer.as_mut().poll_part(&mut cx, &mut out, most);
            match part.map(Result::unwrap) {
                Poll::Ready(Part::Copied(bytes)) => parts.push(bytes),
                Poll::Ready(Part::Whole(bytes)) => parts.push(bytes.len()),
                Poll::Ready(Part::End) => return parts,
                Poll::Pending => panic!("it is there"),
            }
        }
    }

    #[test]
    fn i14_a_frame_comes_in_parts_however_long_it_is() {
        assert!(parts(0).is_empty());
        assert_eq!(parts(2500), [1000, 1000, 500]);
        assert_eq!(parts(LARGE), [LARGE]);
        assert_eq!(parts(LARGEST), [LARGEST]);
        assert_eq!(parts(2 * LARGEST + 1500), [LARGEST, LARGEST, 1000, 500]);
    }
}
