//! A port of a network in memory, where a server listens.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::link::End;
use super::wire::{Operation, Side, Wire};
use crate::sync::{Mutex, MutexGuard, lock};

/// What listens on a port of a network in memory. Its drop frees the port, and resets the connections
/// that were not accepted.
pub(crate) struct PortListener {
    pub(super) wire: Arc<Wire>,
    pub(super) port: Arc<Port>,
    pub(super) address: SocketAddr,
}

/// The connections that wait to be accepted.
#[derive(Default)]
pub(super) struct Port {
    state: Mutex<PortState>,
}

#[derive(Default)]
struct PortState {
    queue: VecDeque<(End, SocketAddr)>,
    /// Whether new connections are refused.
    is_closed: bool,
    waker: Option<Waker>,
}

impl Port {
    fn lock(&self) -> MutexGuard<'_, PortState> {
        lock(&self.state)
    }

    /// Adds a connection to those that wait.
    ///
    /// # Errors
    ///
    /// `ConnectionRefused` if nobody listens any more.
    pub(super) fn connect(&self, server: End, client: SocketAddr) -> io::Result<()> {
        let mut state = self.lock();
        if state.is_closed {
            drop(state);
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        state.queue.push_back((server, client));
        let waker = state.waker.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
        Ok(())
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }
}

impl PortListener {
    /// Returns the address of the port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts a connection, if one is there. Returns the server's end, and the address of the client.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if none is there.
    pub(crate) fn try_accept(&self) -> io::Result<(End, SocketAddr)> {
        self.wire.note(Side::Server, Operation::Accept);
        let first = self.port.lock().queue.pop_front();
        first.ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }

    /// Waits until there is a connection to accept.
    pub(crate) fn poll_readable(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.port.lock();
        if !state.queue.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let old = state.waker.replace(cx.waker().clone());
        drop(state);
        drop(old);
        Poll::Pending
    }

    /// Refuses new connections.
    pub(crate) fn refuse(&self) {
        self.wire.note(Side::Server, Operation::Refuse);
        self.port.lock().is_closed = true;
    }
}

impl Drop for PortListener {
    fn drop(&mut self) {
        self.refuse();
        let queue = std::mem::take(&mut self.port.lock().queue);
        for (server, _) in queue {
            server.reset_on_close();
        }
    }
}

impl fmt::Debug for PortListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PortListener").field(&self.address).finish()
    }
}
