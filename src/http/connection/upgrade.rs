//! The end of HTTP on a connection.

use futures_lite::future;

use super::close::CloseMode;
use super::transport::Transport;
use crate::executor::panic::catch;
use crate::http::socket::{Budget, ConnState};
use crate::http::upgraded::{HandOver, Upgraded};

/// Gives the socket to the handler, and waits until the handler has dropped it, or, if the server does
/// not wait for upgraded connections, until the drain. What the handler still holds ends with the drain then.
/// Returns how the connection is closed.
pub(super) async fn upgrade(transport: &mut Transport, hand_over: HandOver) -> CloseMode {
    let buffer = std::mem::take(&mut transport.buffer);
    let budget = Budget::new(&transport.context.yields);
    let (upgraded, closed) = Upgraded::new(&transport.socket, buffer, budget);
    transport.socket.enter(ConnState::Upgraded);
    // It wakes a task of the user's.
    let _ = catch(|| hand_over(upgraded));
    // The last words of the handler are on their way to the peer, which may still be sending.
    let closed = async {
        let _ = closed.recv().await;
        CloseMode::Linger
    };
    if transport.context.settings.wait_upgraded {
        return closed.await;
    }
    let context = &transport.context;
    let draining = async {
        // Nor does it take part in a drain that is spread: that would have to wait for it.
        context.lifecycle.draining(0).stopped().await;
        context.registry.leave_open(&transport.socket);
        CloseMode::AtOnce
    };
    future::or(closed, draining).await
}
