//! What is due at a time of its own.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// How many entries are kept without a look at whether they still count.
const FEW: usize = 64;

/// Things that are due, each with its deadline, the next first.
///
/// What has been done in time stays, and is found done when it is taken. So that it does not pile
/// up, what is done is taken out each time that the entries have doubled: a constant time for each.
#[derive(Debug)]
pub(crate) struct Deadlines<T> {
    heap: BinaryHeap<Reverse<(Instant, T)>>,

    /// How many entries there may be before what is done is taken out.
    limit: usize,
}

impl<T: Ord> Deadlines<T> {
    pub(crate) fn new() -> Deadlines<T> {
        Deadlines {
            heap: BinaryHeap::new(),
            limit: FEW,
        }
    }

    /// Adds a deadline. `is_open` returns false for what has been done.
    pub(crate) fn push(&mut self, at: Instant, due: T, is_open: impl Fn(&T) -> bool) {
        if self.heap.len() >= self.limit {
            self.heap.retain(|Reverse((_, due))| is_open(due));
            self.limit = FEW.max(self.heap.len() * 2);
        }
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
