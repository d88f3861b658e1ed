//! Writing a response to the socket.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::http::StatusCode;
use futures_lite::ready;

use super::transport::Transport;
use crate::executor::panic::{Panicked, catch};
use crate::http::codec::{
    self, MethodKind, Persistence, Refusal, RequestHead, ResponseFraming, ResponseHead,
};
use crate::http::door::Answer;
use crate::http::socket::{BUFFER_SIZE, ConnState};

/// The most bytes that are gathered for one write: about as many as a socket's buffer takes.
pub(super) const GATHERED: usize = 4 * BUFFER_SIZE;

/// The most bytes that are written at once from where they are.
const LARGEST: usize = 64 * BUFFER_SIZE;

/// Writes one response: its head and what is there of its body leave in one write.
///
/// It is polled together with the response, which stays where the app's future has put it, so that
/// the usual response is sent in the first poll.
pub(super) struct ResponseWriter {
    pub(super) framing: ResponseFraming,
    pub(super) persistence: Persistence,
    status: StatusCode,
    /// How many bytes of the body are still to come from the response.
    pub(super) left: u64,
    /// Whether the last byte of the response is in the output.
    pub(super) is_complete: bool,
    /// Whether the body was pending in this poll, so that it wakes the task when it has more. What is in
    /// the output is written before that.
    pub(super) awaits_body: bool,
    /// Whether the response is about to be on its way: what comes before its head is in the output.
    pub(super) has_begun: bool,
    /// Whether a byte of the response is on its way.
    pub(super) has_sent: bool,
    /// Whether the body has failed, or is shorter than the head says.
    pub(super) has_body_failed: bool,
    /// The message of the body's panic.
    pub(super) panic: Option<String>,
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
        let close = transport.lifetime.is_over_with(&transport.context.time)
            || close
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
        if let Some(access) = &mut transport.access {
            access.answer(response);
        }
        transport.until_close = framing == ResponseFraming::UntilClose;
        transport.socket.enter(ConnState::Responding);
        Self::from_head(response.status(), framing, persistence)
    }

    /// Writes the answer to a message that is not served, in the place of one of which nothing was sent.
    /// The connection closes after it.
    pub(super) fn refusal(transport: &mut Transport, refusal: Refusal) -> Self {
        transport.output.drop_answer();
        codec::write_refusal(refusal, transport.output.begin_answer());
        transport.socket.enter(ConnState::Responding);
        transport.note_status(refusal.status);
        // All of it is in the output.
        let framing = match refusal.to_head {
            true => ResponseFraming::Empty,
            false => ResponseFraming::Length(refusal.reason.len() as u64),
        };
        Self {
            left: 0,
            is_complete: true,
            ..Self::from_head(refusal.status, framing, Persistence::Close)
        }
    }

    fn from_head(status: StatusCode, framing: ResponseFraming, persistence: Persistence) -> Self {
        let left = match framing {
            ResponseFraming::Empty => 0,
            ResponseFraming::Length(length) => length,
            ResponseFraming::Chunked | ResponseFraming::UntilClose => u64::MAX,
        };
        Self {
            framing,
            persistence,
            status,
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
            if !self.is_complete {
                let response = response.as_mut().map(Pin::as_mut);
                ready!(self.poll_body(response, transport, &mut before_head, cx))?;
            }
            self.begin(transport, &mut before_head);
            if self.can_wait(transport) {
                transport.output.end_answer();
                transport.count_later(self.status, || self.body_bytes());
                return Poll::Ready(Ok(self.persistence));
            }
            let written = transport.poll_write(cx);
            self.has_sent |= transport.output.has_begun_answer();
            transport.note_body(|| self.body_bytes());
            ready!(written)?;
            if self.is_complete {
                transport.release_output();
                transport.socket.count_answer(self.status);
                transport.end_access(|| self.body_bytes());
                return Poll::Ready(Ok(self.persistence));
            }
            if self.awaits_body {
                transport.release_output();
                return Poll::Pending;
            }
            transport.clear_output();
        }
    }

    /// Writes what is much of the body, and gathers what is not.
    #[inline(always)]
    fn poll_body<A: Answer>(
        &mut self,
        response: Option<Pin<&mut A>>,
        transport: &mut Transport,
        before_head: impl FnMut() -> &'static [u8],
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(mut response) = response else {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        };
        ready!(self.poll_ahead(response.as_mut(), transport, before_head, cx))?;
        // In the first round the head waits in the output for the first part of the body. To a peer
        // that takes nothing no more is gathered: a body that is busy would wake the task in vain.
        if !self.has_begun || !transport.output.is_stalled() {
            self.is_complete = ready!(self.poll_gather(response, transport, cx))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Puts in front of the head what comes there, once.
    fn begin(&mut self, transport: &mut Transport, before_head: impl FnOnce() -> &'static [u8]) {
        if !std::mem::replace(&mut self.has_begun, true) {
            transport.output.prepend(before_head());
        }
    }

    /// Writes what is there of a body of known length, if that is much, from where it is.
    fn poll_ahead<A: Answer>(
        &mut self,
        mut response: Pin<&mut A>,
        transport: &mut Transport,
        mut before_head: impl FnMut() -> &'static [u8],
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let is_known = matches!(self.framing, ResponseFraming::Length(_));
        while is_known && self.left >= GATHERED as u64 {
            let ahead = match catch(|| response.as_mut().ahead(cx)) {
                Ok(ahead) => ahead,
                Err(Panicked(message)) => return Poll::Ready(Err(self.fail(Some(message)))),
            };
            if ahead.is_empty() {
                break;
            }
            self.begin(transport, &mut before_head);
            // Others have their turn between two writes.
            let most = usize::try_from(self.left).unwrap_or(usize::MAX);
            let most = most.min(ahead.len()).min(LARGEST);
            let written = transport.poll_write_some(cx, &ahead[..most]);
            self.has_sent |= transport.output.has_begun_answer();
            let written = ready!(written)?;
            transport.budget.spend(0, written);
            self.left -= written as u64;
            transport.note_body(|| self.body_bytes());
            if let Err(Panicked(message)) = catch(|| response.as_mut().consume(written)) {
                return Poll::Ready(Err(self.fail(Some(message))));
            }
            ready!(transport.budget.poll(cx));
        }
        Poll::Ready(Ok(()))
    }

    /// Returns how many bytes of the body have come from the response.
    fn body_bytes(&self) -> u64 {
        match self.framing {
            ResponseFraming::Empty => 0,
            ResponseFraming::Length(length) => length - self.left,
            ResponseFraming::Chunked | ResponseFraming::UntilClose => u64::MAX - self.left,
        }
    }

    /// Notes that the body has failed.
    fn fail(&mut self, panic: Option<String>) -> io::Error {
        self.has_body_failed = true;
        self.panic = panic;
        io::Error::other("the response's body panicked")
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
}
