//! What is due at a time of its own.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// Things that are due, each with its deadline, the next first.
///
/// What has been done in time stays until its deadline, and is found done when it is taken.
#[derive(Debug)]
pub(crate) struct Deadlines<T> {
    heap: BinaryHeap<Reverse<(Instant, T)>>,
}

impl<T: Ord> Deadlines<T> {
    pub(crate) fn new() -> Deadlines<T> {
        Deadlines {
            heap: BinaryHeap::new(),
        }
    }

    pub(crate) fn push(&mut self, at: Instant, due: T) {
        self.heap.push(Reverse((at, due)));
    }

    /// Returns the next deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes one whose deadline has come.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<T> {
        self.next().filter(|at| *at <= now)?;
        self.heap.pop().map(|Reverse((_, due))| due)
    }
}
