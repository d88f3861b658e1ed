//! Turns of the others, while a handler reads what is in memory.

use std::task::{Context, Poll};

/// How many reads a handler has before the others have their turn.
const MOST: u32 = 1024;

/// The reads of a body that were served from memory, and cost the connection no budget. A handler that reads
/// byte by byte, or line by line, what a client sends as fast as it can would else keep its thread.
#[derive(Debug, Default)]
pub(super) struct ReadTurns {
    reads: u32,
}

impl ReadTurns {
    /// Counts a read. Is pending once in a while, and wakes the task.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.reads += 1;
        if self.reads < MOST {
            return Poll::Ready(());
        }
        self.reads = 0;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
