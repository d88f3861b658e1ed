//! One connection in memory.

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::flow::Flow;
use super::wire::{Operation, Side, Wire};
use crate::sync::{Mutex, MutexGuard, lock};
use crate::time::sleep::Sleep;

/// One end of a connection in memory. Its drop closes it.
///
/// It goes by the rules of TCP (RFC 9293): a close with unread bytes is a reset, and so is what is written
/// to an end that was closed. A reset takes from both ends what they have not read.
pub(crate) struct End {
    link: Arc<Link>,
    side: Side,
    /// Until when a read waits, and a write, for what is on its way.
    waits: Mutex<[Option<Sleep>; 2]>,
}

/// What both ends share.
struct Link {
    wire: Arc<Wire>,
    state: Mutex<LinkState>,
}

struct LinkState {
    /// The bytes on their way to the client, and to the server.
    flows: [Flow; 2],
    /// When a reset arrives at either end.
    resets: [Option<Instant>; 2],
    /// Whether the close of an end is to be a reset.
    resets_on_close: [bool; 2],
}

/// What an end waits for.
#[derive(Clone, Copy)]
enum Wait {
    Read,
    Write,
}

impl End {
    /// Makes a connection: the client's end of it, and the server's.
    pub(super) fn pair(wire: &Arc<Wire>) -> (End, End) {
        wire.open();
        let link = Arc::new(Link {
            wire: Arc::clone(wire),
            state: Mutex::new(LinkState {
                flows: Default::default(),
                resets: [None; 2],
                resets_on_close: [false; 2],
            }),
        });
        let end = |side| End {
            link: Arc::clone(&link),
            side,
            waits: Mutex::default(),
        };
        (end(Side::Client), end(Side::Server))
    }

    fn lock(&self) -> MutexGuard<'_, LinkState> {
        lock(&self.link.state)
    }

    fn wire(&self) -> &Wire {
        &self.link.wire
    }

    /// Reads what has arrived. Returns the number of bytes, 0 at the end of the stream.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing has arrived, `ConnectionReset` after a reset.
    pub(crate) fn try_read(&self, out: &mut [u8]) -> io::Result<usize> {
        self.wire().note(self.side, Operation::Read);
        let now = self.wire().now();
        let mut state = self.lock();
        if state.is_reset(self.side, now) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let flow = &mut state.flows[self.side as usize];
        let bytes = flow.read(out, now);
        if bytes == 0 && !out.is_empty() && !flow.has_ended(now) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let writer = flow.writer.take_if(|_| bytes > 0);
        wake(state, writer);
        Ok(bytes)
    }

    /// Writes as many bytes as fit. Returns their number.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if none fits, `BrokenPipe` after a reset or the end of this direction.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.wire().note(self.side, Operation::Write);
        let (now, arrival) = (self.wire().now(), self.wire().arrival());
        let capacity = self.wire().capacity;
        let mut state = self.lock();
        let is_reset = state.is_reset(self.side, now);
        let flow = &mut state.flows[self.side.other() as usize];
        if is_reset || flow.ended.is_some() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let room = capacity - flow.length();
        let written = room.min(bytes.len());
        if written == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        flow.write(&bytes[..written], arrival);
        let mut wakers: Vec<_> = flow.reader.take().into_iter().collect();
        if flow.is_abandoned {
            // The answer of the peer to what it cannot take comes back in its time.
            let answer = self.wire().later(arrival);
            wakers.extend(state.reset(self.side, answer));
        }
        wake(state, wakers);
        Ok(written)
    }

    /// Returns how many bytes were written that the peer has not read.
    #[cfg(feature = "http")]
    pub(crate) fn unsent(&self) -> usize {
        self.lock().flows[self.side.other() as usize].length()
    }

    /// Waits until a read would not block.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let now = self.wire().now();
        let mut state = self.lock();
        let flow = &state.flows[self.side as usize];
        let next = earliest(flow.next_arrival(), state.resets[self.side as usize]);
        if next.is_some_and(|next| next <= now) {
            return Poll::Ready(Ok(()));
        }
        let flow = &mut state.flows[self.side as usize];
        let old = flow.reader.replace(cx.waker().clone());
        drop(state);
        drop(old);
        self.poll_arrival(Wait::Read, next, cx)
    }

    /// Waits until a write would not block.
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let now = self.wire().now();
        let mut state = self.lock();
        let reset = state.resets[self.side as usize];
        let flow = &mut state.flows[self.side.other() as usize];
        let is_full = flow.length() == self.wire().capacity;
        if flow.ended.is_some() || !is_full || reset.is_some_and(|reset| reset <= now) {
            return Poll::Ready(Ok(()));
        }
        let old = flow.writer.replace(cx.waker().clone());
        drop(state);
        drop(old);
        self.poll_arrival(Wait::Write, reset, cx)
    }

    /// Waits for what is on its way; not at all if nothing is.
    fn poll_arrival(
        &self,
        wait: Wait,
        arrival: Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let sleep = arrival.and_then(|arrival| self.wire().sleep_until(arrival));
        let old = {
            let mut waits = lock(&self.waits);
            std::mem::replace(&mut waits[wait as usize], sleep)
        };
        drop(old);
        let mut waits = lock(&self.waits);
        match &mut waits[wait as usize] {
            Some(sleep) => std::pin::Pin::new(sleep).poll(cx).map(Ok),
            None => Poll::Pending,
        }
    }

    /// Ends one direction or both.
    ///
    /// # Errors
    ///
    /// `NotConnected` after a reset.
    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.wire().note(self.side, Operation::Shutdown);
        let (now, arrival) = (self.wire().now(), self.wire().arrival());
        let mut state = self.lock();
        if state.is_reset(self.side, now) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let mut wakers = Vec::new();
        if how != Shutdown::Read {
            wakers.extend(state.flows[self.side.other() as usize].end(arrival));
        }
        if how != Shutdown::Write {
            wakers.extend(state.flows[self.side as usize].end(now));
        }
        wake(state, wakers);
        Ok(())
    }

    /// Makes the close of this end a reset.
    pub(crate) fn reset_on_close(&self) {
        self.lock().resets_on_close[self.side as usize] = true;
    }
}

impl LinkState {
    /// Returns true if a reset has arrived at this side.
    fn is_reset(&self, side: Side, now: Instant) -> bool {
        self.resets[side as usize].is_some_and(|reset| reset <= now)
    }

    /// Has a reset arrive at a side. Returns who waits there.
    fn reset(&mut self, side: Side, arrival: Instant) -> impl Iterator<Item = Waker> + use<> {
        self.resets[side as usize].get_or_insert(arrival);
        let reader = self.flows[side as usize].reader.take();
        let writer = self.flows[side.other() as usize].writer.take();
        reader.into_iter().chain(writer)
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.wire().note(self.side, Operation::Close);
        self.wire().close();
        let arrival = self.wire().arrival();
        let mut state = self.lock();
        let (here, there) = (self.side as usize, self.side.other());
        let is_reset = state.resets_on_close[here] || state.flows[here].length() > 0;
        state.flows[here].is_abandoned = true;
        let mut wakers: Vec<_> = state.flows[here].writer.take().into_iter().collect();
        if is_reset {
            wakers.extend(state.reset(there, arrival));
        } else {
            wakers.extend(state.flows[there as usize].end(arrival));
        }
        wake(state, wakers);
    }
}

/// Returns the earlier of two instants, where `None` is never.
fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    a.into_iter().chain(b).min()
}

/// Wakes tasks outside the lock: a waker may run any code.
fn wake(state: MutexGuard<'_, LinkState>, wakers: impl IntoIterator<Item = Waker>) {
    drop(state);
    for waker in wakers {
        waker.wake();
    }
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("End").field(&self.side).finish()
    }
}
