//! How a connection is closed: with time for the peer to read to the end, or at once.

use std::future::poll_fn;
use std::net::Shutdown;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_lite::ready;

use super::transport::Transport;
use crate::http::codec::{self, Refusal};
use crate::http::socket::ConnState;
use crate::net::stream::Stream;
use crate::time::time_source::deadline_from;

/// How long the peer may go on sending after the server has closed its side.
pub(super) const LONGEST_LINGER: Duration = Duration::from_secs(2);

/// How a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseMode {
    /// With time for the peer to read to the end.
    Linger,
    /// At once: the peer does not read any more.
    AtOnce,
}

/// Closes the server's side and waits for the peer to close its own (RFC 9112, 9.6).
///
/// Without the wait, the bytes that the peer still sends would be answered with a reset, which takes
/// from the peer what it has not read yet.
pub(super) async fn linger(transport: &mut Transport) {
    transport.socket.enter(ConnState::Linger);
    transport.buffer.release();
    if transport.socket.stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    let start = transport.context.time.now();
    let mut last_byte = start;
    transport.read_at_once();
    poll_fn(|cx| poll_discard(transport, cx, &mut last_byte, start + LONGEST_LINGER)).await;
}

/// Reads and drops bytes. Returns ready when the peer has closed, has sent nothing for the linger
/// time, or at the deadline.
fn poll_discard(
    transport: &mut Transport,
    cx: &mut Context<'_>,
    last_byte: &mut Instant,
    deadline: Instant,
) -> Poll<()> {
    loop {
        ready!(transport.poll_yield(cx));
        match transport.poll_fill(cx) {
            Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
            Poll::Ready(Ok(_)) => {
                transport.buffer.release();
                *last_byte = transport.context.time.now();
                if *last_byte >= deadline {
                    return Poll::Ready(());
                }
            }
            Poll::Pending => {
                let quiet = deadline_from(*last_byte, transport.context.settings.linger);
                return transport.poll_timer(cx, quiet.min(deadline));
            }
        }
    }
}

/// Ends a connection that is cancelled in this state, without waiting for anything.
///
/// Errors are ignored: there is no one left to report them to.
pub(super) fn cancel(transport: &Transport, state: ConnState) {
    let stream = &transport.socket.stream;
    match state {
        ConnState::Head | ConnState::Active => {
            let mut answer = Vec::new();
            codec::write_refusal(Refusal::unavailable(), &mut answer);
            let _ = stream.try_write(&answer);
            let _ = stream.shutdown(Shutdown::Write);
            discard_unread(stream);
        }
        ConnState::Responding if transport.until_close => drop(stream.reset_on_close()),
        ConnState::Upgraded => drop(stream.shutdown(Shutdown::Both)),
        ConnState::Responding | ConnState::Fresh | ConnState::Idle | ConnState::Linger => {}
    }
}

/// Drops the bytes that wait in the socket, up to 64 KiB.
///
/// Unread bytes make the close a reset, which takes from the peer what it has not read yet.
fn discard_unread(stream: &Stream) {
    let mut scratch = [0; 4096];
    for _ in 0..16 {
        match stream.try_read(&mut scratch) {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
    }
}
