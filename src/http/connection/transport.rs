//! The transport of one connection: its socket, its buffer and timer, and what the server shares.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use ::http::StatusCode;
use futures_lite::ready;

use super::lifetime::Lifetime;
use super::output::Output;
use super::read_ahead::ReadAhead;
use crate::http::access::Access;
use crate::http::context::ServerContext;
use crate::http::counters::Counters;
use crate::http::drain::Noted;
use crate::http::request_context::Arrival;
use crate::http::socket::{BUFFER_SIZE, Budget, LazyTimer, ReadBuffer, Socket, Watch, WatchWaker};
use crate::net::endpoint::Endpoint;
use crate::net::stream::Stream;
use crate::time::time_source::deadline_from;

/// The transport of one connection.
///
/// The parts of a connection work on it one after the other: the head reader, the request's body,
/// the response writer, and the close.
pub(super) struct Transport {
    pub(super) socket: Arc<Socket>,
    /// Where the connection has come from, and to, for the handlers.
    pub(super) arrival: Arc<Arrival>,
    /// Bytes that were read ahead of their use.
    pub(super) buffer: ReadBuffer,
    /// What is about to be written.
    pub(super) output: Output,
    timer: LazyTimer,
    /// Whether the end of the present response is the end of the connection. A cut must then be a
    /// reset, or the peer would take the response for whole.
    pub(super) until_close: bool,
    read_mode: ReadMode,
    /// The watch for the end of the peer while the app is at work.
    watch: Watch,
    read_ahead: ReadAhead,
    pub(super) lifetime: Lifetime,
    /// The record of the request in flight, if the server has an access log.
    pub(super) access: Option<Box<Access>>,
    /// What was done since the other connections had their turn.
    pub(super) budget: Budget,
    // The last field, so that the socket is closed before the server can end.
    pub(super) context: Arc<ServerContext>,
}

/// When the next read is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadMode {
    /// When the reactor says that the socket is readable.
    WhenReadable,
    /// At once: bytes may be there.
    AtOnce,
    /// At once, ahead of the reactor. Whether it succeeds is recorded.
    Ahead,
    /// Ahead of the reactor, but after the other connections have had their turn.
    AheadAfterOthers,
}

impl Transport {
    pub(super) fn new(context: Arc<ServerContext>, stream: Stream) -> Self {
        let arrival = Arrival {
            lifecycle: Arc::clone(&context.lifecycle),
            local: stream.local_addr().clone(),
            peer: stream.peer_addr().clone(),
            turn: context.lifecycle.turn(),
            noted: Noted::default(),
            is_secure: stream.has_tls(),
            #[cfg(feature = "tls")]
            tls: Default::default(),
            #[cfg(feature = "proxy-protocol")]
            proxy: None,
        };
        let shard = context.counters.as_ref().map(Counters::accept);
        Self {
            arrival: Arc::new(arrival),
            socket: Arc::new(Socket::new(stream, shard)),
            buffer: ReadBuffer::default(),
            output: Output::default(),
            timer: LazyTimer::default(),
            until_close: false,
            read_mode: ReadMode::AtOnce,
            watch: Watch::default(),
            read_ahead: ReadAhead::default(),
            budget: Budget::new(&context.yields),
            lifetime: Lifetime::new(&context.settings, &context.time),
            access: None,
            context,
        }
    }

    /// Gives back what a connection needs only while a request is served.
    pub(super) fn rest(&mut self) {
        self.watch.release();
    }

    /// Returns ready once `deadline` has passed, by the clock of the group.
    pub(super) fn poll_timer(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        self.timer.poll(cx, &self.context.time, deadline)
    }

    /// Begins the watch for the end of the peer anew, as another has read the socket. It goes on with the
    /// waker that it shares with a reader in another task, if there is one.
    pub(super) fn watch_anew(&mut self, shared: Option<&Arc<WatchWaker>>) {
        match shared {
            Some(waker) => self.watch.adopt(waker),
            None => self.watch.disarm(),
        }
    }

    /// Returns the address of the peer.
    pub(super) fn peer(&self) -> &Endpoint {
        self.socket.stream.peer_addr()
    }

    /// Makes the next read one that is tried at once.
    pub(super) fn read_at_once(&mut self) {
        self.read_mode = ReadMode::AtOnce;
    }

    /// Chooses when to read the next request, after a response.
    pub(super) fn expect_request(&mut self) {
        self.watch.disarm();
        self.read_mode = if self.context.lifecycle.is_draining() {
            // The last look at the socket.
            ReadMode::AtOnce
        } else if self.read_ahead.is_due() {
            ReadMode::AheadAfterOthers
        } else {
            // A read at once would fail: the client has only just been answered.
            ReadMode::WhenReadable
        };
    }

    /// Lets the other connections have their turn, if that is the read mode, or the budget is spent. The
    /// task is then woken.
    pub(super) fn poll_yield(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.read_mode != ReadMode::AheadAfterOthers {
            return self.budget.poll(cx);
        }
        self.read_mode = ReadMode::Ahead;
        self.budget.poll_yield(cx)
    }

    /// Reads into the buffer, by the read mode. Returns the number of bytes, 0 at the end of file.
    ///
    /// What was woken tries a read before it asks the reactor again. `Async::poll_readable` counts an
    /// event only if it came in another turn of the reactor than the one in which the waker was
    /// registered. Where another thread drives the reactor, it is in that turn already: the event is
    /// of the same turn, the answer is to wait, and so on, thousands of times.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            if self.read_mode == ReadMode::WhenReadable {
                self.read_mode = ReadMode::AtOnce;
                self.watch.disarm();
                let readable = self.socket.stream.poll_readable(cx);
                if readable.is_pending() {
                    self.budget.renew();
                }
                ready!(readable)?;
            }
            let result = self.try_fill();
            if let ReadMode::Ahead | ReadMode::AheadAfterOthers = self.read_mode {
                self.read_ahead.record(result.is_ok());
            }
            match result {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.read_mode = ReadMode::WhenReadable;
                }
                result => {
                    self.read_mode = ReadMode::AtOnce;
                    return Poll::Ready(result);
                }
            }
        }
    }

    /// Reads into the buffer what is there, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing, or the socket's own error.
    pub(super) fn try_fill(&mut self) -> io::Result<usize> {
        let limit = self.context.settings.max_head.max(BUFFER_SIZE);
        let result = self.socket.try_read(self.buffer.space(limit));
        match result {
            Ok(bytes) => {
                self.buffer.advance(bytes);
                self.budget.spend(Budget::SYSCALL, bytes);
            }
            Err(_) => self.buffer.shrink(),
        }
        result
    }

    /// Writes the output to the socket, and leaves it to the caller to drop it.
    ///
    /// # Errors
    ///
    /// The peer is gone, or takes no byte in time.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.rest()[0].is_empty() {
            ready!(self.poll_write_some(cx, &[]))?;
        }
        self.poll_sent(cx)
    }

    /// Waits until the socket has taken what was written. Only over TLS it may not have.
    ///
    /// # Errors
    ///
    /// Those of [`poll_write`](Transport::poll_write).
    #[inline(always)]
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.socket.stream.poll_sent(cx) {
            Poll::Ready(sent) => {
                self.output.resume();
                Poll::Ready(sent)
            }
            Poll::Pending => self.poll_stalled(cx).map(Err),
        }
    }

    /// Returns an error once the peer has taken no byte for too long.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        self.budget.renew();
        if self.socket.stream.take_moved() {
            self.output.resume();
        }
        let since = self.output.stall(|| self.context.time.now());
        let timeout = self.context.settings.write_timeout;
        ready!(self.poll_timer(cx, deadline_from(since, timeout)));
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }

    /// Writes bytes of the output, and behind it of `behind`, as many as the socket takes at once. Returns how
    /// many those are of `behind`. There has to be a byte to write, and an output with a tail has nothing
    /// behind it.
    ///
    /// # Errors
    ///
    /// Those of [`poll_write`](Transport::poll_write).
    pub(super) fn poll_write_some(
        &mut self,
        cx: &mut Context<'_>,
        behind: &[u8],
    ) -> Poll<io::Result<usize>> {
        let parts = match self.output.rest() {
            rest if behind.is_empty() => rest,
            [[], ..] => [behind, &[], &[]],
            [rest, ..] => [rest, behind, &[]],
        };
        match self.socket.poll_write_parts(cx, parts) {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(bytes)) => {
                self.budget.spend(Budget::SYSCALL, 0);
                Poll::Ready(Ok(self.output.advance(bytes)))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.poll_stalled(cx).map(Err),
        }
    }

    /// Writes the answers that were gathered, before the connection waits for something.
    ///
    /// # Errors
    ///
    /// Those of [`poll_write`](Transport::poll_write).
    #[inline(always)]
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.output.is_empty() {
            ready!(self.poll_write(cx))?;
            self.release_output();
        }
        self.poll_sent(cx)
    }

    /// Has the present answer, which is whole and waits in the output, counted and logged once it is known
    /// whether it was written.
    #[inline(always)]
    pub(super) fn count_later(&mut self, status: StatusCode, bytes: impl FnOnce() -> u64) {
        let access = self.access.take().map(|mut access| {
            access.bytes = bytes();
            access
        });
        if access.is_some() || self.socket.is_counted() {
            self.output.gather(status, access);
        }
    }

    /// Counts and logs the answers that have waited in the output: it is written, or will not be.
    pub(super) fn end_gathered(&mut self) {
        for answer in self.output.take_gathered() {
            match answer.unsent {
                0 => self.socket.count_answer(answer.status),
                _ => self.socket.count_cut(),
            }
            if let Some(mut access) = answer.access {
                access.bytes = access.bytes.saturating_sub(answer.unsent as u64);
                self.push_access(access, answer.unsent > 0);
            }
        }
    }

    /// Drops the output, which was written, and gives its memory back.
    #[inline(always)]
    pub(super) fn release_output(&mut self) {
        self.end_gathered();
        self.output.release();
    }

    /// Drops the output, which was written. Its memory is kept for more.
    pub(super) fn clear_output(&mut self) {
        self.end_gathered();
        self.output.clear();
    }

    /// Returns ready when the peer is gone, as long as `watching` is true.
    ///
    /// Bytes that the peer sends ahead are kept. While the buffer is full, nothing is noticed. A server
    /// that allows a peer to close its side alone notices no more after that, and `watching` becomes
    /// false.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>, watching: &mut bool) -> Poll<()> {
        // The task waits for something else.
        self.budget.renew();
        while *watching && self.buffer.len() < BUFFER_SIZE {
            if !self.watch.is_due(cx) {
                return Poll::Pending;
            }
            match self.try_fill() {
                Ok(0) if self.context.settings.half_close => *watching = false,
                Ok(0) => return Poll::Ready(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match ready!(self.watch.arm(&self.socket.stream, cx)) {
                        Ok(()) => self.watch.disarm(),
                        Err(_) => return Poll::Ready(()),
                    }
                }
                Err(_) => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }

    /// Counts and logs that the answers in the output were cut, and makes the cut show.
    pub(super) fn cut_output(&mut self, error: &io::Error) {
        self.end_gathered();
        let (name, peer) = (&*self.context.name, self.peer());
        log::debug!(target: "neap", event = "response cut", service = name, peer:%; "response to {peer} cut: {error}");
        if self.until_close {
            // A peer that is gone sees neither a reset nor an end of file.
            let _ = self.socket.stream.reset_on_close();
        }
    }
}
