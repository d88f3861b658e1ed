//! What the parts of one connection share: its socket, and where it stands.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::net::stream::Stream;

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum State {
    /// Accepted; no byte yet.
    Fresh,
    /// A part of a request's head has come.
    Head,
    /// A handler works; nothing of its response is on the wire.
    Active,
    /// A response is being written.
    Responding,
    /// Kept alive, between two requests.
    Idle,
    /// No longer HTTP.
    Upgraded,
    /// Our side is closed; the peer's is awaited.
    Linger,
}

impl State {
    /// Every state, in the order of a connection's life.
    pub(super) const ALL: [Self; 7] = [
        Self::Fresh,
        Self::Head,
        Self::Active,
        Self::Responding,
        Self::Idle,
        Self::Upgraded,
        Self::Linger,
    ];
}

/// One connection's socket and state, shared with its request's body and with the census.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) stream: Stream,
    /// A [`State`]. Written by the connection's task alone, read for reports: nothing else is
    /// ordered by it, so relaxed will do, and a change costs one plain store.
    state: AtomicU8,
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            state: AtomicU8::new(State::Fresh as u8),
        }
    }

    pub(super) fn state(&self) -> State {
        State::ALL[usize::from(self.state.load(Ordering::Relaxed))]
    }

    pub(super) fn enter(&self, state: State) {
        self.state.store(state as u8, Ordering::Relaxed);
    }
}
