//! Whose turn it is in a group that runs no more than so many services at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use crate::member::Member;

/// Who runs, and who waits to, in a group with a limit.
#[derive(Default)]
pub(crate) struct Turns {
    /// How many may run at once; `None` for any number.
    limit: Option<usize>,

    /// Whether the group has started: before that nobody has a turn, so that the first who were
    /// added are the first to run.
    is_open: bool,

    /// The indices of those that run.
    running: BTreeSet<usize>,

    /// Those that wait, by their index, which is the order in which they were added.
    waiting: BTreeMap<usize, Weak<Member>>,
}

impl Turns {
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = Some(limit);
    }

    pub(crate) fn limit(&self) -> Option<usize> {
        self.limit
    }

    pub(crate) fn open(&mut self) {
        self.is_open = true;
    }

    /// Whether a service needs a turn. Those in the background do not: they serve the others, who
    /// would wait for a turn that never comes.
    pub(crate) fn count(&self, member: &Member) -> bool {
        self.limit.is_some() && !member.is_background()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Takes a turn that nobody waits for; false if there is none.
    ///
    /// Before the start all turns are taken by those that were added first.
    pub(crate) fn take(&mut self, index: usize) -> bool {
        let taken = if self.is_open {
            self.running.len() + self.waiting.len()
        } else {
            index
        };
        let free = self.limit.is_none_or(|limit| taken < limit);
        if free && self.is_open && self.limit.is_some() {
            self.running.insert(index);
        }
        free
    }

    /// Whether a service has its turn.
    pub(crate) fn has(&self, member: &Member) -> bool {
        self.running.contains(&member.index())
    }

    pub(crate) fn enqueue(&mut self, member: &Arc<Member>) {
        self.waiting.insert(member.index(), Arc::downgrade(member));
    }

    /// Gives turns to those that wait, as long as there are any.
    pub(crate) fn grant(&mut self, start: &mut Vec<Arc<Member>>) {
        let limit = self.limit.unwrap_or(usize::MAX);
        while self.is_open && self.running.len() < limit {
            let Some((index, member)) = self.waiting.pop_first() else {
                return;
            };
            if let Some(member) = member.upgrade() {
                self.running.insert(index);
                start.push(member);
            }
        }
    }

    /// Takes back the turn of a service that is gone, or its place among those that wait.
    pub(crate) fn leave(&mut self, index: usize) {
        self.running.remove(&index);
        self.waiting.remove(&index);
    }
}
