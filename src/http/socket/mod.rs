//! The socket of one connection, and what is needed to use it: buffers and a timer.

mod budget;
mod conn_state;
mod lazy_timer;
mod pool;
mod read_buffer;
mod shard;
mod watch;
mod watch_waker;
mod write_buffer;
mod yields;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use ::http::StatusCode;
use futures_lite::{AsyncRead, AsyncWrite};

pub(super) use self::budget::Budget;
pub(super) use self::conn_state::ConnState;
pub(super) use self::lazy_timer::LazyTimer;
pub(super) use self::pool::BUFFER_SIZE;
pub(super) use self::read_buffer::ReadBuffer;
pub(super) use self::shard::Shard;
pub(super) use self::watch::Watch;
pub(super) use self::watch_waker::WatchWaker;
pub(super) use self::write_buffer::WriteBuffer;
pub(super) use self::yields::Yields;
use crate::net::stream::Stream;

/// The socket and the state of one connection, shared with its request's body and the registry.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) stream: Stream,
    /// A [`ConnState`]. Only the connection's task writes it, and reports read it. Nothing else is
    /// ordered by it, so `Relaxed` is enough, and a change costs one plain store.
    state: AtomicU8,
    /// Where it is counted, if the server has counters.
    shard: Option<Arc<Shard>>,
}

impl Socket {
    /// Makes the socket of a connection that has just been accepted.
    pub(super) fn new(stream: Stream, shard: Option<Arc<Shard>>) -> Self {
        Self {
            stream,
            shard,
            state: AtomicU8::new(ConnState::Fresh as u8),
        }
    }

    /// Reads into `out`. Returns the number of bytes, 0 at the end of file.
    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut &self.stream).poll_read(cx, out);
        self.count(|shard, bytes| shard.add_received(bytes), &read);
        read
    }

    /// Reads what is there, without waiting.
    pub(super) fn try_read(&self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.try_read(out);
        if let (Some(shard), Ok(bytes)) = (&self.shard, &read) {
            shard.add_received(*bytes);
        }
        read
    }

    /// Writes bytes from the front of `bytes`, without waiting. Returns their number.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.stream.try_write(bytes);
        if let (Some(shard), Ok(bytes)) = (&self.shard, &sent) {
            shard.add_sent(*bytes);
        }
        sent
    }

    /// Writes bytes from the front of `bytes`. Returns their number.
    pub(super) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut &self.stream).poll_write(cx, bytes);
        self.count(|shard, bytes| shard.add_sent(bytes), &sent);
        sent
    }

    /// Writes bytes from the front of these parts, the first of which is not empty. Returns their number.
    pub(super) fn poll_write_parts(
        &self,
        cx: &mut Context<'_>,
        parts: [&[u8]; 3],
    ) -> Poll<io::Result<usize>> {
        match parts {
            [part, [], []] => self.poll_write(cx, part),
            parts => {
                let parts = parts.map(IoSlice::new);
                let sent = Pin::new(&mut &self.stream).poll_write_vectored(cx, &parts);
                self.count(|shard, bytes| shard.add_sent(bytes), &sent);
                sent
            }
        }
    }

    fn count(&self, add: impl FnOnce(&Shard, usize), done: &Poll<io::Result<usize>>) {
        if let (Some(shard), Poll::Ready(Ok(bytes))) = (&self.shard, done) {
            add(shard, *bytes);
        }
    }

    /// Returns true if the server has counters.
    pub(super) fn is_counted(&self) -> bool {
        self.shard.is_some()
    }

    /// Counts a response that was written to its end.
    pub(super) fn count_answer(&self, status: StatusCode) {
        if let Some(shard) = &self.shard {
            shard.add_answer(status);
        }
    }

    /// Counts a response that was cut.
    pub(super) fn count_cut(&self) {
        if let Some(shard) = &self.shard {
            shard.add_cut();
        }
    }

    /// Returns the state of the connection.
    pub(super) fn state(&self) -> ConnState {
        ConnState::ALL[usize::from(self.state.load(Ordering::Relaxed))]
    }

    /// Changes the state of the connection.
    pub(super) fn enter(&self, state: ConnState) {
        self.state.store(state as u8, Ordering::Relaxed);
    }
}
