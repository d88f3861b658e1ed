//! What had services cancelled, for the outcome.

use std::collections::BTreeMap;

use crate::stop::force::Force;
use crate::sync::{Mutex, OnceLock, lock};

/// What had services cancelled. Most groups have none cancelled, and pay for a pointer.
pub(crate) struct Forces {
    forced: OnceLock<Box<Mutex<Forced>>>,
}

/// What had the services of a group cancelled.
#[derive(Clone, Default)]
pub(crate) struct Forced {
    /// What had all cancelled that were left, and when that was, by the clock of the group.
    pub(crate) group: Option<(Force, u64)>,

    /// What had single services cancelled before that, by their indices.
    pub(crate) services: BTreeMap<usize, Force>,
}

impl Forces {
    pub(crate) fn new() -> Forces {
        Forces {
            forced: OnceLock::new(),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Forced)) {
        change(&mut lock(self.forced.get_or_init(Box::default)));
    }

    /// Notes what has all services cancelled that are left; the first holds.
    pub(crate) fn note_group(&self, force: Force, now: u64) {
        self.change(|forced| {
            forced.group.get_or_insert((force, now));
        });
    }

    /// Notes what has one service cancelled. To be called before that is.
    pub(crate) fn note(&self, index: usize, force: Force) {
        self.change(|forced| {
            forced.services.entry(index).or_insert(force);
        });
    }

    /// Returns true if this service was cancelled before the others, if at all.
    pub(crate) fn is_alone(&self, index: usize) -> bool {
        let forced = self.forced.get();
        forced.is_some_and(|forced| lock(forced).is_alone(index))
    }

    /// Forgets what had a service cancelled that leaves nothing behind.
    pub(crate) fn forget(&self, index: usize) {
        if let Some(forced) = self.forced.get() {
            lock(forced).services.remove(&index);
        }
    }

    /// Returns what is noted so far.
    pub(crate) fn get(&self) -> Forced {
        let forced = self.forced.get();
        forced.map_or_else(Forced::default, |forced| lock(forced).clone())
    }
}

impl Forced {
    /// Returns true if this service was cancelled before the others, if at all.
    pub(crate) fn is_alone(&self, index: usize) -> bool {
        self.services.contains_key(&index)
    }

    /// Returns what had this service cancelled, if it was.
    pub(crate) fn of(&self, index: usize) -> Option<&Force> {
        let group = || self.group.as_ref().map(|(force, _)| force);
        self.services.get(&index).or_else(group)
    }
}
