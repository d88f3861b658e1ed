//! Receiving and decoding the body of a request.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use ::http::HeaderMap;
use futures_lite::ready;

use super::read_wakers::ReadWakers;
use super::transport::Transport;
use crate::http::body_handle::OnTrailers;
use crate::http::codec::{ChunkedDecoder, Progress, Refusal, RequestFraming, RequestHead};
use crate::http::context::ServerContext;
use crate::http::socket::{BUFFER_SIZE, Budget, LazyTimer, ReadBuffer, Socket};
use crate::time::time_source::{TimeSource, deadline_from};

/// What asks a client to send the body it has announced (RFC 9110, 10.1.1).
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// Reads of at least this many bytes go past the buffer.
const LARGE_READ: usize = BUFFER_SIZE / 4;

/// Receives and decodes the body of one request.
pub(super) struct BodySource {
    /// The socket; `None` once the connection has taken it back.
    socket: Option<Arc<Socket>>,
    /// Bytes that were received and not decoded.
    buffer: ReadBuffer,
    decoder: Decoder,
    /// Why the body cannot be read to its end.
    failure: Option<Refusal>,
    /// Whether a read has found the connection broken. The socket says so only once.
    is_broken: bool,
    /// Who is woken when the socket is readable.
    pub(super) wakers: ReadWakers,
    /// The part of [`CONTINUE`] that is still to be sent.
    unsent_continue: &'static [u8],
    /// How many bytes of the body are still accepted.
    bytes_allowed: u64,
    /// How long the body may go without a byte.
    timeout: Duration,
    /// Since when the body is waited for.
    waiting_since: Option<Instant>,
    timer: LazyTimer,
    time: TimeSource,
    /// What was read since the others had their turn. The handler may be a task of its own, so that
    /// this is not the connection's.
    budget: Budget,
    /// Who is told of the trailers.
    on_trailers: Option<OnTrailers>,
}

/// How far a body is decoded.
#[derive(Debug)]
enum Decoder {
    /// n bytes are left.
    Length(u64),
    Chunked(ChunkedDecoder),
    Ended,
}

impl BodySource {
    /// Makes the source of a request's body. `buffer` holds the bytes that came behind the head.
    pub(super) fn new(
        socket: Arc<Socket>,
        buffer: ReadBuffer,
        head: RequestHead,
        context: &ServerContext,
    ) -> Self {
        let decoder = match head.framing {
            RequestFraming::Empty => Decoder::Ended,
            RequestFraming::Length(length) => Decoder::Length(length),
            RequestFraming::Chunked => Decoder::Chunked(ChunkedDecoder::new()),
        };
        // A client that has sent a part of its body does not wait to be asked.
        let unsent_continue = match head.expects_continue && buffer.is_empty() {
            true => CONTINUE,
            false => &[],
        };
        Self {
            socket: Some(socket),
            buffer,
            decoder,
            failure: None,
            is_broken: false,
            wakers: ReadWakers::default(),
            unsent_continue,
            bytes_allowed: context.settings.max_body,
            timeout: context.settings.body_timeout,
            waiting_since: None,
            timer: LazyTimer::default(),
            time: context.time.clone(),
            budget: Budget::new(&context.yields),
            on_trailers: None,
        }
    }

    /// Has this called with the trailers.
    pub(super) fn on_trailers(&mut self, call: OnTrailers) {
        self.on_trailers = Some(call);
    }

    /// Returns true if the body was read to its end.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.decoder, Decoder::Ended)
    }

    /// Returns true if all of the body was received. A chunked one that was not read is never known to be.
    pub(super) fn is_received(&self) -> bool {
        match self.decoder {
            Decoder::Length(left) => left <= self.buffer.len() as u64,
            Decoder::Chunked(_) => false,
            Decoder::Ended => true,
        }
    }

    /// Returns why the body cannot be read to its end, if that is so.
    pub(super) fn failure(&self) -> Option<Refusal> {
        self.failure
    }

    /// Returns true if a read has found the connection broken.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Returns true if nothing can be read ahead.
    pub(super) fn is_full(&self) -> bool {
        self.buffer.len() >= BUFFER_SIZE
    }

    /// Returns how many bytes are known to be left; 0 for a chunked body.
    pub(super) fn known_left(&self) -> u64 {
        match self.decoder {
            Decoder::Length(left) => left,
            Decoder::Chunked(_) | Decoder::Ended => 0,
        }
    }

    /// Returns true if the client waits to be asked for its body, and was not.
    pub(super) fn is_unasked(&self) -> bool {
        self.unsent_continue.len() == CONTINUE.len()
    }

    /// Ends the time in which the client may be asked for its body. Returns what is left of a question of
    /// which a part is on its way.
    pub(super) fn end_continue(&mut self) -> &'static [u8] {
        let is_unasked = self.is_unasked();
        let unsent = std::mem::take(&mut self.unsent_continue);
        if is_unasked { &[] } else { unsent }
    }

    /// Sets how long the body may go without a byte from now on.
    pub(super) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
        self.waiting_since = None;
    }

    /// Lends the buffer, so that another can read ahead into it.
    pub(super) fn lend_buffer<T>(
        &mut self,
        to: &mut Transport,
        read: impl FnOnce(&mut Transport) -> T,
    ) -> T {
        let known = self.buffer.len();
        std::mem::swap(&mut self.buffer, &mut to.buffer);
        let result = read(to);
        std::mem::swap(&mut self.buffer, &mut to.buffer);
        if self.buffer.len() > known {
            self.waiting_since = None;
        }
        result
    }

    /// Takes the socket and the buffer from the body. Later reads return an error.
    pub(super) fn take_back(&mut self) -> ReadBuffer {
        self.socket = None;
        // Who waits for trailers is told that there are none.
        self.on_trailers = None;
        std::mem::take(&mut self.buffer)
    }

    /// Reads bytes of the body. Returns their number, 0 at its end.
    ///
    /// Pending, though there are bytes, once in a while: a handler that reads in a loop lets the
    /// others have their turn.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            if self.budget.is_spent() {
                ready!(match self.wakers.is_own_task(cx.waker()) {
                    true => self.budget.poll(cx),
                    false => self.budget.poll_yield(cx),
                });
            }
            self.budget.spend(Budget::CALL, 0);
            if let Some(refusal) = self.failure {
                return Poll::Ready(Err(refusal.into_io()));
            }
            // The connection may have read ahead before all of the question has left.
            if !self.unsent_continue.is_empty() && !self.is_unasked() {
                ready!(self.poll_ask(cx))?;
            }
            let bytes = match self.decode() {
                Ok(Some(0)) => return Poll::Ready(Ok(0)),
                Ok(Some(left)) if !self.buffer.is_empty() => self.buffer.take(up_to(left, out)),
                Ok(Some(left)) if out.len() >= LARGE_READ => {
                    ready!(self.poll_receive(cx, Some(up_to(left, out))))?
                }
                Ok(_) => {
                    ready!(self.poll_receive(cx, None))?;
                    continue;
                }
                Err(refusal) => return self.fail(refusal),
            };
            return match self.count(bytes as u64) {
                Ok(()) => Poll::Ready(Ok(bytes)),
                Err(refusal) => self.fail(refusal),
            };
        }
    }

    /// Decodes the framing in front of the next bytes of the body. Returns how many of them follow: 0
    /// at the end of the body, `None` if more framing must be received first.
    fn decode(&mut self) -> Result<Option<u64>, Refusal> {
        loop {
            let decoder = match &mut self.decoder {
                Decoder::Ended => return Ok(Some(0)),
                Decoder::Length(left) => return Ok(Some(*left)),
                Decoder::Chunked(decoder) => decoder,
            };
            match decoder.step(self.buffer.filled())? {
                Progress::Skip(bytes) => self.buffer.consume(bytes),
                Progress::Data(left) if left > self.bytes_allowed => {
                    return Err(Refusal::body_too_long());
                }
                Progress::Data(left) => return Ok(Some(left)),
                Progress::More => return Ok(None),
                Progress::End(bytes, trailers) => {
                    self.buffer.consume(bytes);
                    self.decoder = Decoder::Ended;
                    self.end_trailers(trailers);
                }
            }
        }
    }

    /// Hands the trailers to the handler, or tells it that there are none.
    fn end_trailers(&mut self, trailers: Option<HeaderMap>) {
        if let (Some(call), Some(trailers)) = (self.on_trailers.take(), trailers) {
            call(trailers);
        }
    }

    /// Counts bytes of the body that the handler gets.
    ///
    /// # Errors
    ///
    /// The body is longer than the server accepts.
    fn count(&mut self, bytes: u64) -> Result<(), Refusal> {
        self.bytes_allowed = self
            .bytes_allowed
            .checked_sub(bytes)
            .ok_or(Refusal::body_too_long())?;
        match &mut self.decoder {
            Decoder::Length(left) => {
                *left -= bytes;
                if *left == 0 {
                    self.decoder = Decoder::Ended;
                }
            }
            Decoder::Chunked(decoder) => decoder.took(bytes),
            Decoder::Ended => {}
        }
        Ok(())
    }

    /// Receives bytes into `out`, or into the buffer, within the timeout. First asks the client for the
    /// body, if it waits for that.
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        out: Option<&mut [u8]>,
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_ask(cx))?;
        let Some(socket) = &self.socket else {
            return Poll::Ready(Err(too_late()));
        };
        let buffer = &mut self.buffer;
        let read = |cx: &mut Context<'_>| poll_read(socket, cx, out, buffer);
        match self.wakers.poll_read(cx, read) {
            Poll::Ready(Ok(0)) => {
                self.give_up(Refusal::malformed("body ended early"));
                let error = "the peer closed before the request's body was whole";
                Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, error)))
            }
            Poll::Ready(Ok(bytes)) => {
                self.waiting_since = None;
                self.budget.spend(Budget::SYSCALL, bytes);
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => {
                self.is_broken = true;
                self.give_up(Refusal::malformed("connection broken"));
                Poll::Ready(Err(error))
            }
            Poll::Pending => {
                self.budget.renew();
                self.poll_timeout(cx)
            }
        }
    }

    /// Asks the client for the body, if it waits for that and was not asked, or only in part.
    fn poll_ask(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(socket) = &self.socket else {
            return Poll::Ready(Err(too_late()));
        };
        match poll_write_all(socket, cx, &mut self.unsent_continue) {
            // A client that does not read its question does not send its body either.
            Poll::Pending => self.poll_timeout(cx).map_ok(|_| ()),
            written => written,
        }
    }

    /// Returns ready, with an error, once the body has gone without a byte for too long.
    fn poll_timeout(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let since = *self.waiting_since.get_or_insert_with(|| self.time.now());
        ready!(
            self.timer
                .poll(cx, &self.time, deadline_from(since, self.timeout))
        );
        self.fail(Refusal::too_slow("body too slow"))
    }

    /// Breaks the body off. All later reads return the same error.
    fn fail(&mut self, refusal: Refusal) -> Poll<io::Result<usize>> {
        self.give_up(refusal);
        Poll::Ready(Err(refusal.into_io()))
    }

    /// Notes why the body cannot be read to its end. Who waits for trailers is told that there are none.
    fn give_up(&mut self, refusal: Refusal) {
        self.failure = Some(refusal);
        self.on_trailers = None;
    }
}

/// Returns the error of a read after the response, or after a cut.
pub(super) fn too_late() -> io::Error {
    let error = "the request has ended before its body was read";
    io::Error::new(io::ErrorKind::ConnectionAborted, error)
}

/// Reads from the socket into `out`, or into the buffer.
fn poll_read(
    socket: &Socket,
    cx: &mut Context<'_>,
    out: Option<&mut [u8]>,
    buffer: &mut ReadBuffer,
) -> Poll<io::Result<usize>> {
    if let Some(out) = out {
        return socket.poll_read(cx, out);
    }
    let received = socket.poll_read(cx, buffer.space(BUFFER_SIZE));
    match received {
        Poll::Ready(Ok(bytes)) => buffer.advance(bytes),
        _ => buffer.shrink(),
    }
    received
}

/// Writes `unsent` to the socket, and shortens it by what was written.
fn poll_write_all(
    socket: &Socket,
    cx: &mut Context<'_>,
    unsent: &mut &'static [u8],
) -> Poll<io::Result<()>> {
    while !unsent.is_empty() {
        let sent = ready!(socket.poll_write(cx, unsent))?;
        *unsent = &unsent[sent..];
    }
    Poll::Ready(Ok(()))
}

/// Returns the first n bytes of `out`, or all if it has fewer.
fn up_to(bytes: u64, out: &mut [u8]) -> &mut [u8] {
    let length = usize::try_from(bytes).unwrap_or(usize::MAX).min(out.len());
    &mut out[..length]
}
