//! One connection in memory.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::wire::{Operation, Side, Wire};
use crate::sync::{Mutex, MutexGuard, lock};

/// One end of a connection in memory. Its drop closes it.
///
/// It goes by the rules of TCP (RFC 9293): a close with unread bytes is a reset, and so is a write to
/// a peer that has closed. A reset takes from both ends what they have not read.
pub(crate) struct End {
    link: Arc<Link>,
    side: Side,
}

/// What both ends share.
struct Link {
    wire: Arc<Wire>,
    state: Mutex<LinkState>,
}

struct LinkState {
    /// The bytes on their way to the client, and to the server.
    flows: [Flow; 2],
    is_reset: bool,
    /// Whether the close of an end is to be a reset.
    resets_on_close: [bool; 2],
}

/// The bytes that are on their way to one end.
#[derive(Default)]
struct Flow {
    bytes: VecDeque<u8>,
    /// Whether the writer has ended it.
    is_ended: bool,
    /// Whether the end that reads was closed.
    is_abandoned: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl End {
    /// Makes a connection: the client's end of it, and the server's.
    pub(super) fn pair(wire: &Arc<Wire>) -> (End, End) {
        wire.open();
        let link = Arc::new(Link {
            wire: Arc::clone(wire),
            state: Mutex::new(LinkState {
                flows: Default::default(),
                is_reset: false,
                resets_on_close: [false; 2],
            }),
        });
        let end = |side| End {
            link: Arc::clone(&link),
            side,
        };
        (end(Side::Client), end(Side::Server))
    }

    fn lock(&self) -> MutexGuard<'_, LinkState> {
        lock(&self.link.state)
    }

    fn note(&self, operation: Operation) {
        self.link.wire.note(self.side, operation);
    }

    /// Reads what is there. Returns the number of bytes, 0 at the end of the stream.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing is there, `ConnectionReset` after a reset.
    pub(crate) fn try_read(&self, out: &mut [u8]) -> io::Result<usize> {
        self.note(Operation::Read);
        let mut state = self.lock();
        if state.is_reset {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let flow = &mut state.flows[self.side as usize];
        let bytes = flow.bytes.len().min(out.len());
        if bytes == 0 && !out.is_empty() && !flow.is_ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        for (place, byte) in out.iter_mut().zip(flow.bytes.drain(..bytes)) {
            *place = byte;
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
        self.note(Operation::Write);
        let mut state = self.lock();
        let is_reset = state.is_reset;
        let flow = &mut state.flows[self.side.other() as usize];
        if is_reset || flow.is_ended {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if flow.is_abandoned {
            // The peer's answer to what it cannot take.
            reset(state);
            return Ok(bytes.len());
        }
        let room = self.link.wire.capacity - flow.bytes.len();
        let written = room.min(bytes.len());
        if written == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        flow.bytes.extend(&bytes[..written]);
        let reader = flow.reader.take();
        wake(state, reader);
        Ok(written)
    }

    /// Waits until a read would not block.
    pub(crate) fn poll_readable(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.lock();
        let is_reset = state.is_reset;
        let flow = &mut state.flows[self.side as usize];
        if is_reset || flow.is_ended || !flow.bytes.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let old = flow.reader.replace(cx.waker().clone());
        drop(state);
        drop(old);
        Poll::Pending
    }

    /// Waits until a write would not block.
    pub(crate) fn poll_writable(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.lock();
        let is_reset = state.is_reset;
        let flow = &mut state.flows[self.side.other() as usize];
        let is_full = flow.bytes.len() == self.link.wire.capacity;
        if is_reset || flow.is_ended || flow.is_abandoned || !is_full {
            return Poll::Ready(Ok(()));
        }
        let old = flow.writer.replace(cx.waker().clone());
        drop(state);
        drop(old);
        Poll::Pending
    }

    /// Ends one direction or both.
    ///
    /// # Errors
    ///
    /// `NotConnected` after a reset.
    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.note(Operation::Shutdown);
        let mut state = self.lock();
        if state.is_reset {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let mut wakers = Vec::new();
        if how != Shutdown::Read {
            wakers.extend(state.flows[self.side.other() as usize].end());
        }
        if how != Shutdown::Write {
            wakers.extend(state.flows[self.side as usize].end());
        }
        wake(state, wakers);
        Ok(())
    }

    /// Makes the close of this end a reset.
    pub(crate) fn reset_on_close(&self) {
        self.lock().resets_on_close[self.side as usize] = true;
    }
}

impl Flow {
    /// Ends it. Returns who waits for that.
    fn end(&mut self) -> impl Iterator<Item = Waker> + use<> {
        self.is_ended = true;
        self.reader.take().into_iter().chain(self.writer.take())
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.note(Operation::Close);
        self.link.wire.close();
        let mut state = self.lock();
        let (here, there) = (self.side as usize, self.side.other() as usize);
        if state.resets_on_close[here] || !state.flows[here].bytes.is_empty() {
            reset(state);
            return;
        }
        state.flows[here].is_abandoned = true;
        let mut wakers: Vec<_> = state.flows[here].writer.take().into_iter().collect();
        wakers.extend(state.flows[there].end());
        wake(state, wakers);
    }
}

/// Resets the connection: both ends lose what they have not read.
fn reset(mut state: MutexGuard<'_, LinkState>) {
    state.is_reset = true;
    let mut wakers = Vec::new();
    for flow in &mut state.flows {
        flow.bytes.clear();
        wakers.extend(flow.end());
    }
    wake(state, wakers);
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
