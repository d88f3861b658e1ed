//! What is due at a time of its own: services that are to be ready by then, or to have ended.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// What a service, by its index, is to have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// Said that it is ready.
    Ready(usize),

    /// Ended.
    End(usize),
}

/// The deadlines of single services, the next first.
///
/// One whose service has done what is due stays until its time, and is nothing then.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    heap: BinaryHeap<Reverse<(Instant, Due)>>,
}

impl Deadlines {
    pub(crate) fn push(&mut self, at: Instant, due: Due) {
        self.heap.push(Reverse((at, due)));
    }

    /// When the next is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes one whose time has come.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Due> {
        self.next().filter(|at| *at <= now)?;
        self.heap.pop().map(|Reverse((_, due))| due)
    }
}
