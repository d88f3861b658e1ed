//! Waiting for the next request, as long as there is reason to.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_lite::ready;
use http_types::Request;

use super::{Connection, End};
use crate::http::buffer::SIZE;
use crate::http::clock::after;
use crate::http::codec::{Refusal, RequestHead};
use crate::http::wire::State;

/// After how long without a request a connection gives back what the next one might use.
const WARM: Duration = Duration::from_millis(100);

/// What comes next on a connection.
pub(super) enum Next {
    Request(RequestHead),
    /// A long pause: what is kept for the next request can go.
    Rest,
    /// Something that is answered and closed.
    Refuse(Refusal),
    /// Nothing any more.
    End(End),
}

impl Connection {
    /// Waits for the next request, as long as there is reason to, and puts it into `place`.
    #[inline(always)]
    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        place: &mut Option<Request>,
    ) -> Poll<Next> {
        loop {
            if let Some(next) = self.parse(place) {
                return Poll::Ready(next);
            }
            if std::mem::take(&mut self.yielding) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            match self.poll_fill(cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(self.end_of_file()),
                Poll::Ready(Ok(_)) => continue,
                Poll::Ready(Err(_)) => return Poll::Ready(Next::End(End::Close)),
                Poll::Pending => {}
            }
            // Told after the read: what was there has been read before the stop is honoured.
            let draining = Pin::new(&mut self.draining).poll(cx).is_ready();
            if self.warm && !draining {
                ready!(self.clock.poll(cx, self.since + WARM));
                self.warm = false;
                self.heads.forget();
                return Poll::Ready(Next::Rest);
            }
            let deadline = self.deadline(draining);
            ready!(self.clock.poll(cx, deadline));
            // The last look: bytes that came while time ran out still count.
            match self.try_fill() {
                Ok(0) => return Poll::Ready(self.end_of_file()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Poll::Ready(self.give_up(draining));
                }
                Err(_) => return Poll::Ready(Next::End(End::Close)),
            }
        }
    }

    /// Until when the next request, or the rest of one, is waited for.
    fn deadline(&self, draining: bool) -> Instant {
        let options = &self.shared.options;
        let patience = match (self.wire.state(), draining) {
            (State::Head, _) => options.head_timeout,
            (_, false) => options.keep_alive_timeout,
            (State::Fresh, true) => options.new_conn_grace,
            (_, true) => options.idle_grace,
        };
        let deadline = after(self.since, patience);
        match self.shared.lifecycle.drain_began() {
            Some(began) if self.wire.state() == State::Head => {
                deadline.min(after(began, options.drain_head_timeout))
            }
            _ => deadline,
        }
    }

    /// What an end of file means here.
    fn end_of_file(&self) -> Next {
        match self.wire.state() {
            State::Head => Next::Refuse(Refusal::malformed("request ended early")),
            _ => Next::End(End::Close),
        }
    }

    /// What it means that nothing, or not enough, has come in time.
    fn give_up(&self, draining: bool) -> Next {
        if self.wire.state() == State::Head {
            return Next::Refuse(Refusal::too_slow("request head too slow"));
        }
        if draining {
            self.shared.census.idle_closed();
            return Next::End(End::Linger);
        }
        Next::End(End::Close)
    }

    /// The next request in the buffer, if it is whole, or why there will be none.
    #[inline(always)]
    fn parse(&mut self, place: &mut Option<Request>) -> Option<Next> {
        let bytes = self.buffer.filled();
        if bytes.is_empty() {
            return None;
        }
        // A head that trickles in is searched for its end only where it is new; all of it is
        // parsed at its beginning, so that what is no HTTP is refused at once, and at its end.
        let max_head = self.shared.options.max_head;
        let parsed = if self.searched == 0 || has_end(&bytes[self.searched..]) {
            self.heads.parse(bytes, place)
        } else {
            Ok(None)
        };
        match parsed {
            Ok(Some(head)) if head.length > max_head => {
                Some(Next::Refuse(Refusal::head_too_long()))
            }
            Ok(Some(head)) => {
                self.buffer.consume(head.length);
                Some(Next::Request(head))
            }
            Ok(None) if bytes.len() >= max_head => {
                Some(Next::Refuse(match bytes.contains(&b'\n') {
                    true => Refusal::head_too_long(),
                    false => Refusal::target_too_long(),
                }))
            }
            Ok(None) => {
                self.searched = bytes.len().saturating_sub(2);
                if self.wire.state() != State::Head {
                    self.wire.enter(State::Head);
                    self.since = Instant::now();
                }
                None
            }
            Err(refusal) => Some(Next::Refuse(refusal)),
        }
    }

    /// Reads into the buffer once the socket is readable.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            if self.eager {
                let result = self.try_fill();
                if std::mem::take(&mut self.guessing) {
                    self.luck.note(result.is_ok());
                }
                match result {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.eager = false,
                    result => return Poll::Ready(result),
                }
            }
            ready!(self.wire.stream.poll_readable(cx))?;
            self.eager = true;
        }
    }

    /// Ready when the peer has reset the connection. Its end of file is no such thing: a client may
    /// close its side behind its last request. What it sends ahead is kept, as far as it fits.
    pub(in crate::http) fn poll_gone(
        &mut self,
        cx: &mut Context<'_>,
        watching: &mut bool,
    ) -> Poll<()> {
        while *watching && self.buffer.len() < SIZE {
            match ready!(self.poll_fill(cx)) {
                Ok(0) => *watching = false,
                Ok(_) => {}
                Err(_) => return Poll::Ready(()),
            }
        }
        *watching = false;
        Poll::Pending
    }

    /// Reads what is there into the buffer.
    fn try_fill(&mut self) -> io::Result<usize> {
        let limit = self.shared.options.max_head.max(SIZE);
        let result = self.wire.stream.try_read(self.buffer.space(limit));
        match result {
            Ok(bytes) => self.buffer.read(bytes),
            // Nothing to hold memory for.
            Err(_) => self.buffer.consume(0),
        }
        result
    }
}

/// Whether a head may end in `bytes`: whether there is an empty line.
fn has_end(bytes: &[u8]) -> bool {
    let line_ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    line_ends
        .into_iter()
        .any(|(at, _)| matches!(bytes.get(at + 1..), Some([b'\n', ..] | [b'\r', b'\n', ..])))
}
