//! How a connection is closed: with time for the peer to read to the end, or at once.

use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::task::{Context, Poll};

use futures_lite::ready;

use super::patience::{LONGEST_LINGER, Patience};
use super::transport::Transport;
use crate::http::codec::{self, Refusal};
use crate::http::socket::{ConnState, Socket};
use crate::time::time_source::deadline_from;

/// How a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseMode {
    /// With time for the peer to read to the end.
    Linger,
    /// At once: the peer does not read any more.
    AtOnce,
}

/// Counts and logs that the present response was cut, and makes the cut show. Returns how the connection is
/// closed.
///
/// If a body has failed, the peer is there: a reset, as bytes of its are unread, would take whole answers from
/// it that came before.
pub(super) fn cut_response(
    transport: &mut Transport,
    error: &io::Error,
    has_body_failed: bool,
) -> CloseMode {
    transport.socket.count_cut();
    transport.cut_output(error);
    transport.cut_access();
    match has_body_failed && !transport.until_close {
        true => {
            transport.output.release();
            CloseMode::Linger
        }
        false => CloseMode::AtOnce,
    }
}

/// Closes the server's side and waits for the peer to close its own (RFC 9112, 9.6).
///
/// Without the wait, the bytes that the peer still sends would be answered with a reset, which takes
/// from the peer what it has not read yet. [`Patience`] says how long that takes.
pub(super) async fn linger(transport: &mut Transport) {
    let has_answered = transport.socket.state() != ConnState::Fresh;
    transport.socket.enter(ConnState::Linger);
    transport.buffer.release();
    // Mostly nothing is left. Before the first request it is only what TLS has to say, which comes below.
    if has_answered && poll_fn(|cx| transport.poll_flush(cx)).await.is_err() {
        return;
    }
    // Over TLS the peer is told in a last record. One that takes nothing is not waited for longer than below.
    transport.socket.stream.end();
    let limit = deadline_from(transport.context.time.now(), LONGEST_LINGER);
    let told = poll_fn(|cx| {
        let told = transport.poll_flush(cx);
        match told.is_pending() && transport.poll_timer(cx, limit).is_ready() {
            true => Poll::Ready(Ok(())),
            false => told,
        }
    });
    if told.await.is_err() {
        return;
    }
    if transport.socket.stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    transport.socket.stream.discard();
    let context = &transport.context;
    let mut patience = Patience::new(&context.settings, context.time.now());
    transport.read_at_once();
    poll_fn(|cx| poll_discard(transport, cx, &mut patience)).await;
}

/// Reads and drops bytes. Returns ready when the peer has closed, or is waited for no longer.
fn poll_discard(
    transport: &mut Transport,
    cx: &mut Context<'_>,
    patience: &mut Patience,
) -> Poll<()> {
    loop {
        ready!(transport.poll_yield(cx));
        match transport.poll_fill(cx) {
            Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
            Poll::Ready(Ok(_)) => {
                transport.buffer.release();
                if !patience.hear(transport.context.time.now()) {
                    continue;
                }
            }
            Poll::Pending => ready!(transport.poll_timer(cx, patience.next_look())),
        }
        let unsent = transport.socket.stream.unsent();
        if patience.look(transport.context.time.now(), unsent) {
            return Poll::Ready(());
        }
    }
}

/// Ends a connection that is cancelled in this state, without waiting for anything. Whole answers that
/// were gathered are sent.
///
/// Errors are ignored: there is no one left to report them to.
pub(super) fn cancel(transport: &mut Transport, state: ConnState) {
    let (socket, stream) = (&*transport.socket, &transport.socket.stream);
    if let ConnState::Active | ConnState::Responding = state {
        socket.count_cut();
    }
    let is_next = transport.output.try_write_whole(socket);
    match state {
        ConnState::Head | ConnState::Active => {
            if is_next {
                let mut answer = Vec::new();
                codec::write_refusal(Refusal::unavailable(), &mut answer);
                let is_sent = socket.try_write(&answer).is_ok();
                if let (Some(access), true) = (&mut transport.access, is_sent) {
                    access.status = Some(Refusal::unavailable().status);
                }
            }
            let _ = stream.shutdown(Shutdown::Write);
            discard_unread(socket);
        }
        ConnState::Responding if transport.until_close => drop(stream.reset_on_close()),
        ConnState::Upgraded => drop(stream.shutdown(Shutdown::Both)),
        ConnState::Responding | ConnState::Fresh | ConnState::Idle | ConnState::Linger => {}
    }
}

/// Drops the bytes that wait in the socket, up to 64 KiB.
///
/// Unread bytes make the close a reset, which takes from the peer what it has not read yet.
fn discard_unread(socket: &Socket) {
    let mut scratch = [0; 4096];
    for _ in 0..16 {
        match socket.try_read(&mut scratch) {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
    }
}
