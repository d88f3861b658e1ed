//! Which services need which.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How far a service is when the plan first hears of it.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(test, derive(Hash))]
pub(crate) struct Standing {
    /// When it became ready, by the group's clock.
    pub(crate) ready_at: Option<u64>,

    /// True if it has ended, or was given up.
    pub(crate) is_gone: bool,

    /// True if it does not keep the group alive.
    pub(crate) is_background: bool,
}

/// What a need has a service do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bond {
    /// Nothing: what it needs is ready, or it needed it before.
    Idle,

    /// To wait until what it needs is ready.
    Waits,

    /// Not to start: what it needs is gone, and was never ready.
    InVain,
}

/// What the plan knows of one service.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, Hash))]
pub(super) struct Entry {
    pub(super) standing: Standing,

    /// The services it needs, and those that need it and are not gone.
    pub(super) needs: BTreeSet<usize>,
    pub(super) dependents: BTreeSet<usize>,

    /// How many of its needs are not ready.
    pub(super) needs_left: usize,

    /// True if it is to stop though the group is not.
    pub(super) stops_alone: bool,

    /// True once it is to be cancelled when it is stopped, as someone has asked for it.
    pub(super) cancels_alone: bool,

    /// True if it is in the background with all that it needs: then it is stopped last.
    pub(super) is_last: bool,

    /// How long it may take to be ready.
    pub(super) start_timeout: Option<Duration>,
}

impl Entry {
    fn new(standing: Standing) -> Entry {
        Entry {
            standing,
            needs: BTreeSet::new(),
            dependents: BTreeSet::new(),
            needs_left: 0,
            stops_alone: false,
            cancels_alone: false,
            is_last: standing.is_background,
            start_timeout: None,
        }
    }
}

/// The services that need others, are needed, or have something else for the plan to know.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, Hash))]
pub(super) struct Graph {
    /// By index. A service needs only services with a smaller index.
    entries: BTreeMap<usize, Entry>,
}

impl Graph {
    pub(super) fn get(&self, index: usize) -> Option<&Entry> {
        self.entries.get(&index)
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Entry> {
        self.entries.get_mut(&index)
    }

    pub(super) fn insert(&mut self, index: usize, standing: Standing) {
        self.entries
            .entry(index)
            .or_insert_with(|| Entry::new(standing));
    }

    pub(super) fn needed(&self) -> usize {
        let entries = self.entries.values();
        entries.filter(|entry| !entry.dependents.is_empty()).count()
    }

    /// Adds a need between two services in the graph.
    pub(super) fn bind(&mut self, index: usize, needed: usize) -> Bond {
        let Some(below) = self.entries.get_mut(&needed) else {
            return Bond::Idle;
        };
        let Standing {
            ready_at, is_gone, ..
        } = below.standing;
        if !is_gone && !below.dependents.insert(index) {
            return Bond::Idle;
        }
        self.remove_if_done(needed);
        let Some(above) = self.entries.get_mut(&index) else {
            return Bond::Idle;
        };
        if !is_gone {
            above.needs.insert(needed);
        }
        if ready_at.is_some() {
            return Bond::Idle;
        }
        above.needs_left += 1;
        if is_gone { Bond::InVain } else { Bond::Waits }
    }

    /// Notes that a service is ready; adds those that need nothing else to `free`.
    pub(super) fn ready(&mut self, index: usize, now: u64, free: &mut Vec<usize>) {
        let Some(entry) = self.entries.get_mut(&index) else {
            return;
        };
        if entry.standing.ready_at.is_some() {
            return;
        }
        entry.standing.ready_at = Some(now);
        for above in entry.dependents.clone() {
            if let Some(entry) = self.entries.get_mut(&above) {
                entry.needs_left -= 1;
                if entry.needs_left == 0 {
                    free.push(above);
                }
            }
        }
    }

    /// Notes that a service is gone; adds those that no other service needs to `free`. Returns the
    /// services that wait for it in vain.
    pub(super) fn gone(&mut self, index: usize, free: &mut Vec<usize>) -> BTreeSet<usize> {
        let mut in_vain = BTreeSet::new();
        let Some(entry) = self.entries.get_mut(&index) else {
            return in_vain;
        };
        if std::mem::replace(&mut entry.standing.is_gone, true) {
            return in_vain;
        }
        if entry.standing.ready_at.is_none() {
            in_vain.clone_from(&entry.dependents);
        }
        for below in std::mem::take(&mut entry.needs) {
            if let Some(entry) = self.entries.get_mut(&below) {
                entry.dependents.remove(&index);
                if entry.dependents.is_empty() {
                    free.push(below);
                }
            }
            self.remove_if_done(below);
        }
        self.remove_if_done(index);
        in_vain
    }

    /// Removes a service that is gone and that no other needs: nothing about it is to be decided.
    fn remove_if_done(&mut self, index: usize) {
        let entry = self.entries.get(&index);
        if entry.is_some_and(|entry| entry.standing.is_gone && entry.dependents.is_empty()) {
            self.entries.remove(&index);
        }
    }

    /// Has a service stopped alone, and before it all that need it, and that need those. Adds those
    /// that no other service needs to `free`, and the others to `held`: they are not to start.
    pub(super) fn stop_alone(
        &mut self,
        index: usize,
        free: &mut Vec<usize>,
        held: &mut Vec<usize>,
    ) {
        let mut next = vec![index];
        while let Some((index, entry)) = next
            .pop()
            .and_then(|index| Some((index, self.entries.get_mut(&index)?)))
        {
            if std::mem::replace(&mut entry.stops_alone, true) || entry.standing.is_gone {
                continue;
            }
            if entry.dependents.is_empty() {
                free.push(index);
            } else {
                held.push(index);
            }
            next.extend(&entry.dependents);
        }
    }

    /// Finds those in the background that need nothing which is not.
    pub(super) fn find_last(&mut self) {
        let indices: Vec<_> = self.entries.keys().copied().collect();
        for index in indices {
            let is_last = self.is_last_of_its_needs(index);
            if let Some(entry) = self.entries.get_mut(&index) {
                entry.is_last = is_last;
            }
        }
    }

    /// Returns true for a service in the background whose needs are all stopped last.
    fn is_last_of_its_needs(&self, index: usize) -> bool {
        self.get(index).is_some_and(|entry| {
            let is_last = |below: &usize| self.get(*below).is_none_or(|below| below.is_last);
            entry.standing.is_background && entry.needs.iter().all(is_last)
        })
    }
}
