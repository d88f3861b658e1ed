//! A head whose first record of TLS has come in part.

use std::time::Instant;

use super::transport::Transport;
#[cfg(feature = "tls")]
use crate::http::socket::ConnState;

/// A head of which a part of the first record has come, over TLS, and so no byte that can be read.
///
/// It is a begun head as much as one whose first byte can be read, with the same limits. What such a record
/// has can be known only when it is whole. If it has nothing of a request, as a change of keys or an alert,
/// the connection is again what it was before.
#[derive(Debug, Default)]
pub(super) struct BegunRecord {
    /// The state before it, and since when that was.
    #[cfg(feature = "tls")]
    before: Option<(ConnState, Instant)>,
}

impl BegunRecord {
    /// Looks whether a record has begun, or has ended with nothing in it. `since` is when the present state began.
    /// Returns true if one has begun since the last look.
    #[cfg(feature = "tls")]
    pub(super) fn look(&mut self, transport: &Transport, since: &mut Instant) -> bool {
        let socket = &transport.socket;
        match (self.before, socket.stream.is_amid_record()) {
            (None, true) if socket.state() != ConnState::Head => {
                self.before = Some((socket.state(), *since));
                socket.enter(ConnState::Head);
                *since = transport.context.time.now();
                return true;
            }
            (Some((state, before)), false) => {
                self.forget();
                socket.enter(state);
                *since = before;
            }
            _ => {}
        }
        false
    }

    /// Forgets what was before, as bytes of the head have come.
    pub(super) fn forget(&mut self) {
        *self = BegunRecord::default();
    }

    /// There are no records.
    #[cfg(not(feature = "tls"))]
    pub(super) fn look(&mut self, _: &Transport, _: &mut Instant) -> bool {
        false
    }
}
