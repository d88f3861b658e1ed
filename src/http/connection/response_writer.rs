//! Writing a response to the socket.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::http::StatusCode;
use bytes::Bytes;
use futures_lite::ready;

use super::output::Output;
use super::transport::Transport;
use crate::executor::panic::{Panicked, catch};
use crate::http::codec::{
    self, MethodKind, Persistence, Refusal, RequestHead, ResponseFraming, ResponseHead,
};
use crate::http::door::{Answer, Part};
use crate::http::socket::{BUFFER_SIZE, Budget, ConnState, WriteBuffer};

/// The most bytes that are gathered for one write: about as many as a socket's buffer takes.
const GATHERED: usize = 4 * BUFFER_SIZE;
/// What one part of a body costs beside its bytes: the space it is read into is cleared before.
const PART: usize = 4 * Budget::CALL;
/// The length of a chunk's line, in bytes: four hexadecimal digits and the line's end.
const CHUNK_LINE: usize = 6;

/// Writes one response: its head and what is there of its body leave in one write.
///
/// It is polled together with the response, which stays where the app's future has put it, so that
/// the usual response is sent in the first poll.
pub(super) struct ResponseWriter {
    framing: ResponseFraming,
    persistence: Persistence,
    /// How many bytes of the body are still to come from the response.
    left: u64,
    /// Whether the last byte of the response is in the output.
    is_complete: bool,
    /// Whether the body was pending in this poll, so that it wakes the task when it has more. What is in
    /// the output is written before that.
    awaits_body: bool,
    /// Whether the response is about to be on its way: what comes before its head is in the output.
    has_begun: bool,
    /// Whether a byte of the response is on its way.
    has_sent: bool,
    /// Whether the body has failed, or is shorter than the head says.
    has_body_failed: bool,
    /// The message of the body's panic.
    panic: Option<String>,
}

impl ResponseWriter {
    /// Writes the head into memory, which decides whether the connection closes.
    #[inline(always)]
    pub(super) fn new(
        transport: &mut Transport,
        response: &impl Answer,
        request: RequestHead,
        close: bool,
    ) -> Self {
        let framing = ResponseFraming::of(response, request.method, request.is_http10);
        let switches = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let upgrade = switches && response.has_upgrade();
        let close = close
            || !request.keep_alive
            || framing == ResponseFraming::UntilClose
            // What follows is for the tunnel, which the server does not make (RFC 9110, 9.3.6).
            || request.method == MethodKind::Connect
            || !transport.context.lifecycle.is_serving();
        let persistence = match (upgrade, close) {
            (true, _) => Persistence::Upgrade,
            (false, true) => Persistence::Close,
            (false, false) if request.is_http10 => Persistence::KeepSaid,
            (false, false) => Persistence::Keep,
        };
        let head = ResponseHead {
            answer: response,
            method: request.method,
            framing,
            persistence,
        };
        let persistence = head.write(transport.output.begin_answer());
        transport.until_close = framing == ResponseFraming::UntilClose;
        transport.socket.enter(ConnState::Responding);
        Self::from_head(framing, persistence)
    }

    /// Writes the answer to a message that is not served, in the place of one of which nothing was sent.
    /// The connection closes after it.
    pub(super) fn refusal(transport: &mut Transport, refusal: Refusal) -> Self {
        transport.output.drop_answer();
        codec::write_refusal(refusal, transport.output.begin_answer());
        transport.socket.enter(ConnState::Responding);
        Self::from_head(ResponseFraming::Empty, Persistence::Close)
    }

    fn from_head(framing: ResponseFraming, persistence: Persistence) -> Self {
        let left = match framing {
            ResponseFraming::Empty => 0,
            ResponseFraming::Length(length) => length,
            ResponseFraming::Chunked | ResponseFraming::UntilClose => u64::MAX,
        };
        Self {
            framing,
            persistence,
            left,
            is_complete: framing == ResponseFraming::Empty,
            awaits_body: false,
            has_begun: false,
            has_sent: false,
            has_body_failed: false,
            panic: None,
        }
    }

    /// Sends the head and the body of `response`. Returns how that leaves the connection. `None` will do for
    /// a [refusal](ResponseWriter::refusal).
    ///
    /// `before_head` is called once, when the head and the first part of the body are about to be written.
    /// It returns what goes in front of them. The body is read before, and may do so itself.
    ///
    /// If a next request is in the buffer, the end of the response stays in the output.
    ///
    /// # Errors
    ///
    /// The response is cut: the peer is gone or takes no byte in time, or the body has failed.
    #[inline(always)]
    pub(super) fn poll<A: Answer>(
        &mut self,
        mut response: Option<Pin<&mut A>>,
        transport: &mut Transport,
        mut before_head: impl FnMut() -> &'static [u8],
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Persistence>> {
        self.awaits_body = false;
        loop {
            ready!(transport.budget.poll(cx));
            // In the first round the head waits in the output for the first part of the body. To a peer
            // that takes nothing no more is gathered: a body that is busy would wake the task in vain.
            let is_held_up = self.has_begun && transport.output.is_stalled();
            if !self.is_complete && !is_held_up {
                let Some(response) = response.as_mut() else {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                };
                self.is_complete = ready!(self.poll_gather(response.as_mut(), transport, cx))?;
            }
            if !std::mem::replace(&mut self.has_begun, true) {
                transport.output.prepend(before_head());
            }
            if self.can_wait(transport) {
                transport.output.end_answer();
                return Poll::Ready(Ok(self.persistence));
            }
            let written = transport.poll_write(cx);
            self.has_sent |= transport.output.has_begun_answer();
            ready!(written)?;
            if self.is_complete {
                transport.output.release();
                return Poll::Ready(Ok(self.persistence));
            }
            if self.awaits_body {
                transport.output.release();
                return Poll::Pending;
            }
            transport.output.clear();
        }
    }

    /// Returns true if the rest of the response can wait for the answer to the next request.
    fn can_wait(&self, transport: &mut Transport) -> bool {
        let output = &mut transport.output;
        self.is_complete
            && !transport.buffer.is_empty()
            && matches!(self.persistence, Persistence::Keep | Persistence::KeepSaid)
            && !output.is_full()
            && !output.is_stalled()
            && output.may_gather(transport.context.time.now())
    }

    /// Returns true if the last poll was pending for the body alone.
    pub(super) fn awaits_body(&self, transport: &Transport) -> bool {
        self.awaits_body && !transport.output.is_stalled()
    }

    /// Returns true if the body has failed, and the peer has seen nothing of the response.
    pub(super) fn has_failed_unsent(&self) -> bool {
        self.has_body_failed && !self.has_sent
    }

    /// Takes the message of the body's panic, if there was one.
    pub(super) fn take_panic(&mut self) -> Option<String> {
        self.panic.take()
    }

    /// Appends to the output what is there of the body. Ready when there is something to write; returns
    /// true at the end of the body.
    fn poll_gather<A: Answer>(
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
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(BUFFER_SIZE);
        out.resize(start + line, 0);
        let part = self.poll_body(response, out, most, cx);
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
    fn poll_body<A: Answer>(
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
