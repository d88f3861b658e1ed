//! The bodies that both apps send, and what both do with a connection that is no longer HTTP.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_io::Timer;
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use neap::StopToken;

/// The length of one part of a stream that is always ready, in bytes: as axum's has in
/// `peers/attacked`.
pub(super) const PART: usize = 1024;

/// A body of n parts, one after each pause.
pub(super) struct Ticks {
    left: u64,
    pause: Duration,
    timer: Timer,
    /// Ends the body when it is stopped.
    until: Option<StopToken>,
}

impl Ticks {
    pub(super) fn new(parts: u64, pause: Duration) -> Self {
        Self {
            left: parts,
            pause,
            timer: Timer::after(pause),
            until: None,
        }
    }

    /// One part in 5 ms, without an end.
    pub(super) fn for_ever() -> Self {
        Self::new(u64::MAX, Duration::from_millis(5))
    }

    /// One part in 5 ms, until the stop.
    pub(super) fn until(stop: StopToken) -> Self {
        Self {
            until: Some(stop),
            ..Self::for_ever()
        }
    }
}

impl AsyncRead for Ticks {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let over = self.until.as_ref().is_some_and(StopToken::is_stopped);
        if self.left == 0 || over {
            return Poll::Ready(Ok(0));
        }
        ready!(Pin::new(&mut self.timer).poll(cx));
        let pause = self.pause;
        self.timer.set_after(pause);
        self.left -= 1;
        out[..5].copy_from_slice(b"tick\n");
        Poll::Ready(Ok(5))
    }
}

/// A body that is always ready, and never ends.
pub(super) struct AlwaysReady;

impl AsyncRead for AlwaysReady {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let length = out.len().min(PART);
        out[..length].fill(b'x');
        Poll::Ready(Ok(length))
    }
}

/// Sends back what comes, until the client closes.
pub(super) async fn send_back(mut connection: impl AsyncRead + AsyncWrite + Unpin) {
    let mut buffer = [0; 256];
    while let Ok(length @ 1..) = connection.read(&mut buffer).await {
        if connection.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
