//! What is left to do for a connection when its handler has returned, or its handshake has failed.

use std::future::poll_fn;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::AsyncReadExt;
use futures_lite::future::{or, yield_now};

use super::tls_socket::TlsSocket;
use crate::net::stream::Stream;
use crate::time::time_source::TimeSource;

/// How long a peer may take no byte of the last words of a handler.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a peer that was refused may go on sending.
const LINGER: Duration = Duration::from_millis(500);

/// Waits until the socket has taken what a handler has written, once the handler and its stream are gone.
///
/// The kernel does that for a bare socket. Here the end of what was written may not have been
/// encrypted into its buffer.
pub(in crate::net) async fn send_rest(socket: Arc<TlsSocket>, time: &TimeSource) {
    // A handler may have moved its stream to another task: that is not the server's any more.
    if Arc::strong_count(&socket) > 1 {
        return;
    }
    loop {
        let sent = async {
            let _ = poll_fn(|cx| socket.poll_sent(cx)).await;
            true
        };
        let late = async {
            time.sleep(PATIENCE).await;
            false
        };
        let is_sent = or(sent, late).await;
        if is_sent || !socket.take_moved() {
            return;
        }
    }
}

/// Closes a connection whose handshake has failed: the peer is told why, and not with a reset, if it can be.
pub(in crate::net) async fn refuse(stream: &Stream, time: &TimeSource) {
    // If this side cannot be closed, the peer is gone or takes nothing.
    if stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    stream.discard();
    let read = async {
        let (mut stream, mut scratch) = (stream, vec![0; 4096]);
        while let Ok(1..) = stream.read(&mut scratch).await {
            yield_now().await;
        }
    };
    or(read, time.sleep(LINGER)).await;
}
