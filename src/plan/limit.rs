//! Whose turn it is in a group that runs no more than n services at once.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

/// Which services run and which wait for their turn, in a group with a limit.
///
/// Services in the background are not counted: they serve the others, which would wait for a turn
/// that never comes.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, Hash))]
pub(super) struct Limit {
    /// How many may run at once; `None` for any number.
    limit: Option<usize>,

    /// True once the group has started. Before that none has a turn, so that those added first are
    /// the first to run.
    is_open: bool,

    /// The services that have a turn, by index.
    running: BTreeSet<usize>,

    /// The services that wait, by index, which is the order in which they were added.
    waiting: BTreeSet<usize>,
}

impl Limit {
    pub(super) fn set(&mut self, limit: usize) {
        self.limit = Some(limit);
    }

    pub(super) fn get(&self) -> Option<usize> {
        self.limit
    }

    pub(super) fn open(&mut self) {
        self.is_open = true;
    }

    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Takes a turn that no other service waits for; false if there is none.
    ///
    /// Before the start, the `ahead` services that were added first have all turns.
    pub(super) fn take(&mut self, index: usize, ahead: usize) -> bool {
        let taken = if self.is_open {
            self.running.len() + self.waiting.len()
        } else {
            ahead
        };
        let is_free = self.limit.is_none_or(|limit| taken < limit);
        if is_free && self.is_open && self.limit.is_some() {
            self.running.insert(index);
        }
        is_free
    }

    /// Returns true if a service has its turn.
    pub(super) fn has_turn(&self, index: usize) -> bool {
        self.running.contains(&index)
    }

    pub(super) fn enqueue(&mut self, index: usize) {
        self.waiting.insert(index);
    }

    /// Gives turns to those that wait, as far as there are any.
    pub(super) fn grant(&mut self, start: &mut Vec<usize>) {
        let limit = self.limit.unwrap_or(usize::MAX);
        while self.is_open && self.running.len() < limit {
            let Some(index) = self.waiting.pop_first() else {
                return;
            };
            self.running.insert(index);
            start.push(index);
        }
    }

    /// Takes back the turn of a service that is gone, or its place among those that wait.
    pub(super) fn leave(&mut self, index: usize) {
        self.running.remove(&index);
        self.waiting.remove(&index);
    }
}
