//! A port of a network in memory, where a server listens.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::link::End;
use super::wire::{Operation, Side, Wire};
use crate::net::handshakes::{Handshake, Queue};
use crate::sync::{Mutex, MutexGuard, lock};
use crate::time::sleep::Sleep;

/// What listens on a port of a network in memory. Its drop frees the port, and resets the connections
/// that were not accepted.
pub(crate) struct PortListener {
    pub(super) wire: Arc<Wire>,
    pub(super) port: Arc<Port>,
    pub(super) address: SocketAddr,
    /// Until when an accept waits for a handshake that is under way.
    pub(super) wait: Mutex<Option<Sleep>>,
}

/// The connections that wait to be accepted.
#[derive(Default)]
pub(super) struct Port {
    state: Mutex<PortState>,
}

#[derive(Default)]
struct PortState {
    /// In the order in which they can be accepted.
    queue: VecDeque<Established>,
    /// Whether new connections are refused.
    is_closed: bool,
    waker: Option<Waker>,
}

/// A connection that is established for its client, or is about to be.
struct Established {
    /// When the last segment of its handshake arrives.
    at: Instant,
    server: End,
    client: SocketAddr,
}

impl Port {
    fn lock(&self) -> MutexGuard<'_, PortState> {
        lock(&self.state)
    }

    /// Adds a connection, whose handshake ends at this time.
    ///
    /// # Errors
    ///
    /// `ConnectionRefused` if nobody listens any more.
    pub(super) fn connect(&self, at: Instant, server: End, client: SocketAddr) -> io::Result<()> {
        let mut state = self.lock();
        if state.is_closed {
            drop(state);
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        state.queue.push_back(Established { at, server, client });
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
        let now = self.wire.now();
        let mut state = self.port.lock();
        match state.queue.front() {
            Some(first) if first.at <= now => {}
            _ => return Err(io::ErrorKind::WouldBlock.into()),
        }
        let first = state.queue.pop_front();
        let first = first.ok_or(io::ErrorKind::WouldBlock)?;
        Ok((first.server, first.client))
    }

    /// Waits until there is a connection to accept.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let now = self.wire.now();
        let mut state = self.port.lock();
        let next = state.queue.front().map(|first| first.at);
        if next.is_some_and(|next| next <= now) {
            return Poll::Ready(Ok(()));
        }
        let old = state.waker.replace(cx.waker().clone());
        drop(state);
        drop(old);
        let sleep = next.and_then(|next| self.wire.sleep_until(next));
        let old = std::mem::replace(&mut *lock(&self.wait), sleep);
        drop(old);
        match &mut *lock(&self.wait) {
            Some(sleep) => Pin::new(sleep).poll(cx).map(Ok),
            None => Poll::Pending,
        }
    }

    /// Refuses new connections. The handshakes that are under way go on.
    pub(crate) fn refuse(&self) {
        self.wire.note(Side::Server, Operation::Refuse);
        self.port.lock().is_closed = true;
    }

    /// Returns the handshakes that are under way.
    pub(in crate::net) fn handshakes(&self) -> Vec<Handshake> {
        let now = self.wire.now();
        let state = self.port.lock();
        let under_way = state.queue.iter().filter(|each| each.at > now);
        let handshake = |each: &Established| Handshake {
            cookie: each.client.port().into(),
            again_in: each.at.saturating_duration_since(now),
        };
        under_way.map(handshake).collect()
    }

    /// Returns the queue of connections that can be accepted, which is never full.
    pub(in crate::net) fn queue(&self) -> Queue {
        let now = self.wire.now();
        let state = self.port.lock();
        Queue {
            length: state.queue.iter().filter(|each| each.at <= now).count(),
            backlog: usize::MAX,
        }
    }
}

impl Drop for PortListener {
    fn drop(&mut self) {
        self.refuse();
        let queue = std::mem::take(&mut self.port.lock().queue);
        for established in queue {
            established.server.reset_on_close();
        }
    }
}

impl fmt::Debug for PortListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PortListener").field(&self.address).finish()
    }
}
