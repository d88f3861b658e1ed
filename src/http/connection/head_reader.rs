//! Waiting for the head of the next request.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_lite::ready;

use super::begun_record::BegunRecord;
use super::close::CloseMode;
use super::head_parser::HeadParser;
use super::transport::Transport;
use crate::http::codec::{Refusal, RequestHead};
use crate::http::door::Door;
use crate::http::request_context::Arrival;
use crate::http::socket::{ConnState, ReadBuffer};
use crate::stop::token::Stopped;
use crate::time::time_source::deadline_from;

/// How long a connection keeps the memory of its last request for the next one.
const KEEP_MEMORY: Duration = Duration::from_millis(100);

/// Reads the heads of one connection.
pub(super) struct HeadReader<D: Door> {
    parser: HeadParser<D>,
    /// When the connection was accepted, the present head began, or the last response ended.
    since: Instant,
    /// Whether that is a head of which only a part of a TLS record has come.
    record: BegunRecord,
    /// How many bytes of an incomplete head were searched for its end.
    searched: usize,
    /// How many bytes of empty lines have come since the last request.
    skipped: usize,
    /// Ready when the server drains.
    draining: Stopped,
}

/// What the wait for a request has come to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Awaited {
    /// The head of a request.
    Request(RequestHead),
    /// A pause: the memory of the last request can be given back. The wait goes on.
    Pause,
    /// Something that is answered with a refusal.
    Refusal(Refusal),
    /// The end of the connection.
    Close(CloseMode),
}

impl<D: Door> HeadReader<D> {
    /// Makes the reader of a connection that has just been accepted.
    pub(super) fn new(transport: &Transport, arrival: &Arc<Arrival>) -> Self {
        Self {
            parser: HeadParser::new(arrival),
            since: transport.context.time.now(),
            record: BegunRecord::default(),
            searched: 0,
            skipped: 0,
            draining: arrival.lifecycle.draining(arrival.turn).stopped(),
        }
    }

    /// Begins to wait for the next request, after a response that has ended at `since`.
    pub(super) fn begin_idle(&mut self, since: Instant) {
        self.since = since;
        self.record.forget();
        (self.searched, self.skipped) = (0, 0);
    }

    /// Waits for the head of the next request. The request is put into `slot`.
    ///
    /// `has_memory` is whether the connection holds memory that it would give back in a pause.
    #[inline(always)]
    pub(super) fn poll(
        &mut self,
        transport: &mut Transport,
        has_memory: bool,
        slot: &mut Option<D::Request>,
        cx: &mut Context<'_>,
    ) -> Poll<Awaited> {
        loop {
            if let Some(awaited) = self.parse(transport, slot) {
                return Poll::Ready(awaited);
            }
            let had_output = !transport.output.is_empty();
            if let Err(error) = ready!(transport.poll_flush(cx)) {
                transport.cut_output(&error);
                return Poll::Ready(Awaited::Close(CloseMode::AtOnce));
            }
            if had_output {
                // The last answer has left only now.
                self.since = transport.context.time.now();
            }
            ready!(transport.poll_yield(cx));
            let filled = match transport.poll_fill(cx) {
                Poll::Ready(filled) => filled,
                Poll::Pending => match ready!(self.poll_late(transport, has_memory, cx)) {
                    Ok(filled) => filled,
                    Err(awaited) => return Poll::Ready(awaited),
                },
            };
            if let Some(end) = self.end(transport, filled) {
                return Poll::Ready(end);
            }
        }
    }

    /// Returns ready when the time for the next request is over, with the last look at the socket: bytes
    /// that have come while the time ran out count, too.
    ///
    /// # Errors
    ///
    /// There are none. Or the time is over that comes before a pause.
    #[inline(always)]
    fn poll_late(
        &mut self,
        transport: &mut Transport,
        has_memory: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Result<io::Result<usize>, Awaited>> {
        // Asked after the read: bytes that were there at the stop are read before it takes effect.
        let draining = Pin::new(&mut self.draining).poll(cx).is_ready();
        if has_memory && !draining {
            ready!(transport.poll_timer(cx, self.since + KEEP_MEMORY));
            self.parser.forget();
            return Poll::Ready(Err(Awaited::Pause));
        }
        self.record.look(transport, &mut self.since);
        loop {
            let deadline = self.deadline(transport, draining);
            ready!(transport.poll_timer(cx, deadline));
            let filled = transport.try_fill();
            let has_nothing =
                matches!(&filled, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
            // A head that begins with this look has its own time.
            if has_nothing && self.record.look(transport, &mut self.since) {
                continue;
            }
            return Poll::Ready(match has_nothing {
                true => Err(time_out(transport, draining)),
                false => Ok(filled),
            });
        }
    }

    /// Returns what follows if a read has come to the end: the peer has closed its side, or is gone.
    fn end(&mut self, transport: &Transport, filled: io::Result<usize>) -> Option<Awaited> {
        if let Ok(1..) = filled {
            return None;
        }
        // The record of a good-bye begins no head.
        self.record.look(transport, &mut self.since);
        Some(match (filled, transport.socket.state()) {
            (Ok(_), ConnState::Head) => Awaited::Refusal(Refusal::malformed("request ended early")),
            _ => Awaited::Close(CloseMode::AtOnce),
        })
    }

    /// Parses the head in the buffer. Returns `None` if more bytes are needed.
    #[inline(always)]
    fn parse(
        &mut self,
        transport: &mut Transport,
        slot: &mut Option<D::Request>,
    ) -> Option<Awaited> {
        self.skip_empty_lines(&mut transport.buffer);
        let max_head = transport.context.settings.max_head;
        if self.skipped > max_head {
            return Some(Awaited::Refusal(Refusal::head_too_long()));
        }
        let bytes = transport.buffer.filled();
        if let [] | [b'\r'] = bytes {
            return None;
        }
        match self.parse_new(bytes, slot) {
            Ok(Some(head)) if head.length > max_head => Some(too_long(&bytes[..max_head])),
            Ok(Some(head)) => {
                transport.buffer.consume(head.length);
                Some(Awaited::Request(head))
            }
            Ok(None) if bytes.len() >= max_head => Some(too_long(&bytes[..max_head])),
            Ok(None) => {
                self.searched = bytes.len().saturating_sub(2);
                self.record.forget();
                if transport.socket.state() != ConnState::Head {
                    transport.socket.enter(ConnState::Head);
                    self.since = transport.context.time.now();
                }
                None
            }
            Err(refusal) => Some(Awaited::Refusal(refusal)),
        }
    }

    /// Parses the head at the start of `bytes`, if it may be whole.
    ///
    /// An incomplete head is searched for its end only where it is new. All of it is parsed when it
    /// begins, so that bytes that are not HTTP are refused at once, and when its end has come.
    #[inline(always)]
    fn parse_new(
        &mut self,
        bytes: &[u8],
        slot: &mut Option<D::Request>,
    ) -> Result<Option<RequestHead>, Refusal> {
        match self.searched == 0 || may_end(&bytes[self.searched..]) {
            true => self.parser.parse(bytes, slot),
            false => Ok(None),
        }
    }

    /// Drops the empty lines in front of a request line (RFC 9112, 2.2). They begin no request: some
    /// clients send one behind a body.
    #[inline(always)]
    fn skip_empty_lines(&mut self, buffer: &mut ReadBuffer) {
        while buffer.filled().starts_with(b"\r\n") {
            buffer.consume(2);
            self.skipped += 2;
        }
    }

    /// Returns until when the next request, or the rest of its head, is waited for.
    fn deadline(&self, transport: &Transport, draining: bool) -> Instant {
        let settings = &transport.context.settings;
        let state = transport.socket.state();
        let timeout = match (state, draining) {
            (ConnState::Head, _) => settings.head_timeout,
            (_, false) => settings.keep_alive_timeout,
            (ConnState::Fresh, true) => settings.new_conn_grace,
            (_, true) => settings.idle_grace,
        };
        let deadline = deadline_from(self.since, timeout);
        let arrival = &transport.arrival;
        match arrival.lifecycle.drain_began(arrival.turn) {
            Some(began) if state == ConnState::Head => {
                deadline.min(deadline_from(began, settings.drain_head_timeout))
            }
            _ => deadline,
        }
    }
}

/// Returns what follows when no request, or only a part of its head, has come in time.
fn time_out(transport: &Transport, draining: bool) -> Awaited {
    if transport.socket.state() == ConnState::Head {
        return Awaited::Refusal(Refusal::too_slow("request head too slow"));
    }
    if draining {
        transport.context.registry.count_idle_closed();
        return Awaited::Close(CloseMode::Linger);
    }
    Awaited::Close(CloseMode::AtOnce)
}

/// Returns the refusal of a head that is too long, and begins with these bytes: as many as it may have.
fn too_long(bytes: &[u8]) -> Awaited {
    Awaited::Refusal(match bytes.contains(&b'\n') {
        true => Refusal::head_too_long(),
        false => Refusal::target_too_long(),
    })
}

/// Returns true if a head may end in `bytes`: if there is an empty line.
fn may_end(bytes: &[u8]) -> bool {
    let mut line_ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    line_ends.any(|(at, _)| matches!(bytes.get(at + 1..), Some([b'\n', ..] | [b'\r', b'\n', ..])))
}
