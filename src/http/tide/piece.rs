//! Reading a long body piece by piece.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_lite::{AsyncRead, ready};

/// The most bytes that are read at once. Reading a file, each read is a task of another thread, which has
/// memory of the same size. It is less than the 128 KiB from which on the C library maps memory for each
/// allocation (mallopt(3), `M_MMAP_THRESHOLD`).
pub(super) const LONGEST_READ: usize = 127 * 1024;

/// What was read of a body, in memory that is cleared once, and not for every read.
#[derive(Debug, Default)]
pub(super) struct Piece {
    bytes: Vec<u8>,
    sent: usize,
    read: usize,
}

impl Piece {
    /// Makes one for a body of this length. Nothing was read.
    pub(super) fn new(length: usize) -> Self {
        Self {
            bytes: vec![0; length.min(LONGEST_READ)],
            ..Self::default()
        }
    }

    /// Returns what was read and not sent.
    pub(super) fn unsent(&self) -> &[u8] {
        &self.bytes[self.sent..self.read]
    }

    /// Drops the first n bytes of those that are unsent.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.sent += bytes;
    }

    /// Reads the next piece. All of the last one was sent. Returns how long it is, and whether that is much.
    pub(super) fn poll_read(
        &mut self,
        body: Pin<&mut impl AsyncRead>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(usize, bool)>> {
        let bytes = ready!(body.poll_read(cx, &mut self.bytes))?;
        (self.sent, self.read) = (0, bytes);
        Poll::Ready(Ok((bytes, bytes >= self.bytes.len() / 4)))
    }
}
