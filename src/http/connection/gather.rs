//! Gathering the body of a response into the output.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_lite::ready;

use super::output::Output;
use super::response_writer::{GATHERED, ResponseWriter};
use super::transport::Transport;
use crate::executor::panic::{Panicked, catch};
use crate::http::codec::{self, ResponseFraming};
use crate::http::door::{Answer, Part};
use crate::http::socket::{BUFFER_SIZE, Budget, WriteBuffer};

/// The most bytes of one part that are copied.
const LONGEST: usize = 8 * BUFFER_SIZE;
/// What one part of a body costs beside its bytes: the space it is read into is cleared before.
const PART: usize = 4 * Budget::CALL;
/// The length of a chunk's line, in bytes: four hexadecimal digits and the line's end.
const CHUNK_LINE: usize = 6;

impl ResponseWriter {
    /// Appends to the output what is there of the body. Ready when there is something to write; returns
    /// true at the end of the body.
    pub(super) fn poll_gather<A: Answer>(
        &mut self,
        mut response: Pin<&mut A>,
        transport: &mut Transport,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<bool>> {
        let output = &mut transport.output;
        while self.left > 0 && output.bytes().len() < GATHERED {
            if transport.budget.is_spent() {
                if !output.is_empty() {
                    return Poll::Ready(Ok(false));
                }
                // A body may have nothing but empty frames, and no end.
                if transport.budget.poll(cx).is_pending() {
                    return self.unless_unsent(Poll::Pending, output.bytes());
                }
            }
            let left = self.left;
            let part = self.poll_part(response.as_mut(), output, cx);
            let bytes = usize::try_from(left - self.left).unwrap_or(usize::MAX);
            transport.budget.spend(PART, bytes);
            match part {
                Poll::Ready(Ok(Gathered::More)) => {}
                Poll::Ready(Ok(Gathered::Tail)) => break,
                Poll::Ready(Ok(Gathered::End)) => {
                    let out = output.bytes();
                    let ended = self.poll_end(response, out, cx).map(Ok);
                    return self.unless_unsent(ended, out);
                }
                Poll::Ready(Err(error)) => {
                    self.has_body_failed = true;
                    return Poll::Ready(Err(error));
                }
                Poll::Pending => return self.unless_unsent(Poll::Pending, output.bytes()),
            }
        }
        Poll::Ready(Ok(self.left == 0))
    }

    /// Returns what the body has come to, but that there is something to write if the body is pending and
    /// `out` is not empty.
    fn unless_unsent(
        &mut self,
        gathered: Poll<io::Result<bool>>,
        out: &mut WriteBuffer,
    ) -> Poll<io::Result<bool>> {
        self.awaits_body = gathered.is_pending();
        match gathered {
            Poll::Pending if !out.is_empty() => return Poll::Ready(Ok(false)),
            Poll::Pending => out.release(),
            Poll::Ready(_) => {}
        }
        gathered
    }

    /// Appends one part of the body to the output.
    fn poll_part<A: Answer>(
        &mut self,
        response: Pin<&mut A>,
        output: &mut Output,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Gathered>> {
        let is_chunked = self.framing == ResponseFraming::Chunked;
        let line = if is_chunked { CHUNK_LINE } else { 0 };
        let out = output.bytes();
        out.reserve();
        let start = out.len();
        // The length of a longer chunk has more digits.
        let longest = if is_chunked { BUFFER_SIZE } else { LONGEST };
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let most = most.min(longest);
        out.resize(start + line, 0);
        let part = self.read_body(response, out, most, cx);
        if let Poll::Ready(Ok(Part::Copied(bytes @ 1..))) = part {
            self.left -= bytes as u64;
            if is_chunked {
                frame_chunk(out, start, bytes);
            }
            return Poll::Ready(Ok(Gathered::More));
        }
        out.truncate(start);
        Poll::Ready(match ready!(part)? {
            Part::Copied(_) => Ok(Gathered::More),
            Part::Whole(part) => {
                self.set_tail(output, part);
                Ok(Gathered::Tail)
            }
            // The body is shorter than the head says.
            Part::End if matches!(self.framing, ResponseFraming::Length(_)) => {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            Part::End => Ok(Gathered::End),
        })
    }

    /// Puts a part of the body behind the output, as it is.
    fn set_tail(&mut self, output: &mut Output, mut part: Bytes) {
        part.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= part.len() as u64;
        if self.framing == ResponseFraming::Chunked {
            let line = format!("{:x}\r\n", part.len());
            output.bytes().extend_from_slice(line.as_bytes());
            output.set_tail(part, b"\r\n");
        } else {
            output.set_tail(part, b"");
        }
    }

    /// Reads a part of the body. A panic of the body, or of its error, is an error.
    fn read_body<A: Answer>(
        &mut self,
        response: Pin<&mut A>,
        out: &mut Vec<u8>,
        most: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Part>> {
        match catch(|| response.poll_part(cx, out, most).map_err(words_of)) {
            Ok(read) => read,
            Err(Panicked(message)) => {
                self.panic = Some(message);
                Poll::Ready(Err(io::Error::other("the response's body panicked")))
            }
        }
    }

    /// Appends to `out` what comes behind the body. Returns true when it is there.
    fn poll_end<A: Answer>(
        &mut self,
        response: Pin<&mut A>,
        out: &mut Vec<u8>,
        cx: &mut Context<'_>,
    ) -> Poll<bool> {
        if self.framing == ResponseFraming::Chunked {
            let trailers = ready!(response.poll_trailers(cx));
            codec::write_last_chunk(trailers.as_ref(), out);
        }
        Poll::Ready(true)
    }
}

/// What has come of one part of a body.
enum Gathered {
    More,

    /// What is in the output has to be written first.
    Tail,

    End,
}

/// Returns an error of the same words, and drops the user's own: both may panic.
fn words_of(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

/// Puts the size in front of the chunk at `start`, and the line end behind it.
fn frame_chunk(out: &mut Vec<u8>, start: usize, bytes: usize) {
    let size = format!("{bytes:x}\r\n");
    // Only the bytes of a short chunk, whose size has fewer digits, are moved.
    let unused = CHUNK_LINE - size.len();
    out[start + unused..start + CHUNK_LINE].copy_from_slice(size.as_bytes());
    out.drain(start..start + unused);
    out.extend_from_slice(b"\r\n");
}
