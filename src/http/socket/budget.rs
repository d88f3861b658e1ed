//! How much a connection does before the others have their turn.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::yields::Yields;

/// What a connection may do in one go: some 60 µs of calls, or 1 MiB of a body in large parts, some
/// 250 µs on loopback. A slice of 256 KiB made answers of 1 MB twice as expensive, as then many large
/// bodies take turns in the caches.
const BUDGET: usize = 256 * 1024;
/// How many bytes that are moved cost 1.
const BYTES: usize = 16;

/// What a connection has done since the others had their turn.
///
/// A peer that is always ready, to send or to take, would otherwise keep a task in its poll for ever:
/// on one thread nothing else would run, no deadline and no signal. So a task that has used up its
/// budget returns, and is [woken](Yields) when others had their turn. That costs two wake-ups at most for
/// that much work, and nothing to a connection that has to wait for its peer.
pub(in crate::http) struct Budget {
    spent: usize,
    yields: Arc<Yields>,
}

impl Budget {
    /// What one call costs that moves few bytes: a step of a decoder, a read of a handler.
    pub(in crate::http) const CALL: usize = 256;
    /// What one call of the system costs.
    pub(in crate::http) const SYSCALL: usize = 4 * 1024;
    /// What one request costs beside its body and its response's body.
    pub(in crate::http) const REQUEST: usize = 16 * 1024;

    pub(in crate::http) fn new(yields: &Arc<Yields>) -> Budget {
        Budget {
            spent: 0,
            yields: Arc::clone(yields),
        }
    }

    /// Takes the cost of a call, and of the bytes that it has moved, from the budget.
    pub(in crate::http) fn spend(&mut self, cost: usize, bytes: usize) {
        self.spent += cost + bytes / BYTES;
    }

    /// Returns true if the task is to yield before it does more.
    pub(in crate::http) fn is_spent(&self) -> bool {
        self.spent >= BUDGET
    }

    /// Notes that the task waits for something, so that the others have their turn.
    pub(in crate::http) fn renew(&mut self) {
        self.spent = 0;
    }

    /// Returns ready as long as the budget lasts. After that it yields. The task is that of the connection.
    pub(in crate::http) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_spent() {
            return Poll::Ready(());
        }
        self.renew();
        self.yields.add(cx.waker());
        Poll::Pending
    }

    /// Lets the others have their turn: begins anew, wakes the task, and is pending once.
    ///
    /// It is for a task that must wake itself. That of a reader may be on a thread that is blocked until
    /// the reader has come to its end, so that nobody else would wake it.
    pub(in crate::http) fn poll_yield(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.renew();
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn yields_once_for_each_budget() {
        let (mut budget, mut yields) = (Budget::new(&Arc::default()), 0);
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..1024 {
            budget.spend(BUDGET / 64, 0);
            yields += u32::from(budget.poll(&mut cx).is_pending());
        }
        assert_eq!(yields, 16);
        budget.spend(BUDGET - 1, BYTES - 1);
        assert!(budget.poll(&mut cx).is_ready());
        budget.renew();
        budget.spend(1, 0);
        assert!(budget.poll(&mut cx).is_ready());
    }
}
