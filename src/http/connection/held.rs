//! What is of the user's, and may panic when it is dropped.

use std::sync::Arc;

use super::transport::Transport;
use crate::executor::panic::{Panicked, catch};
use crate::http::context::ServerContext;
use crate::http::socket::Socket;

/// Something of the user's, whose destructor may panic, also when the connection is cancelled. That
/// costs no more than the connection.
pub(super) struct Held<T> {
    pub(super) value: Option<T>,
    // For the log record. The connection outlives this, so neither is kept longer by it.
    socket: Arc<Socket>,
    context: Arc<ServerContext>,
}

impl<T> Held<T> {
    /// Holds a value for this connection.
    pub(super) fn new(value: Option<T>, transport: &Transport) -> Self {
        Self {
            value,
            socket: Arc::clone(&transport.socket),
            context: Arc::clone(&transport.context),
        }
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        if let Err(Panicked(message)) = catch(|| self.value = None) {
            let (name, peer) = (&*self.context.name, self.socket.stream.peer_addr());
            log::error!(target: "neap", event = "handler panicked", service = name, peer:%; "handler panicked when it was dropped, on a request from {peer}: {message}");
        }
    }
}
