//! The ends of a connection: with patience, or all of a sudden.

use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::Connection;
use crate::http::clock::after;
use crate::http::codec::{self, Refusal};
use crate::http::wire::State;

/// How long a connection that the server has closed may go on sending, in all.
const LONGEST_LINGER: Duration = Duration::from_secs(2);

impl Connection {
    /// Closes our side and waits for the peer to close its own (RFC 9112, 9.6).
    ///
    /// Without it, what the peer still sends would be answered with a reset, which takes from it
    /// what it has not read yet.
    pub(super) async fn linger(&mut self) {
        self.wire.enter(State::Linger);
        self.buffer.release();
        if self.wire.stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        let begun = Instant::now();
        self.since = begun;
        self.eager = true;
        poll_fn(|cx| self.poll_discard(cx, begun)).await;
    }

    fn poll_discard(&mut self, cx: &mut Context<'_>, begun: Instant) -> Poll<()> {
        loop {
            match self.poll_fill(cx) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(_)) => {
                    self.buffer.release();
                    self.since = Instant::now();
                }
                Poll::Pending => {
                    let quiet = after(self.since, self.shared.options.linger);
                    return self.clock.poll(cx, quiet.min(begun + LONGEST_LINGER));
                }
            }
        }
    }

    /// What is still said to the peer of a connection that is dropped: without waiting, so that a
    /// cancel takes no time.
    fn cancel(&self, state: State) {
        let stream = &self.wire.stream;
        // Nobody is left to be told when one of these fails.
        let _ = match state {
            State::Head | State::Active => {
                let mut out = Vec::new();
                codec::write_refusal(Refusal::unavailable(), &mut out);
                let _ = stream.try_write(&out);
                let _ = stream.shutdown(Shutdown::Write);
                // What lies unread at the close makes it a reset, which would eat the answer.
                let mut scratch = [0; 4096];
                (0..16).try_for_each(|_| match stream.try_read(&mut scratch)? {
                    0 => Err(io::ErrorKind::UnexpectedEof.into()),
                    _ => Ok(()),
                })
            }
            State::Responding if self.until_close => stream.reset_on_close(),
            State::Upgraded => stream.shutdown(Shutdown::Both),
            State::Responding | State::Fresh | State::Idle | State::Linger => Ok(()),
        };
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.ended {
            let state = self.wire.state();
            self.shared.census.cut(state);
            self.cancel(state);
        }
        self.shared.census.leave(self.key);
    }
}
