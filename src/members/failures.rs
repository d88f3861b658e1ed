//! The failures of a group's services.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::executor::panic::catch;
use crate::service::exit::Exit;
use crate::sync::{Mutex, MutexGuard, lock};

/// A failure of one service.
#[derive(Debug)]
pub(crate) struct FailedService {
    pub(crate) index: usize,

    /// `Failed` or `Panicked`.
    pub(crate) exit: Exit,
}

/// The failures of a group's services.
pub(crate) struct Failures {
    lists: Mutex<Lists>,
}

#[derive(Default)]
struct Lists {
    /// Those that stop the group, in the order in which they came.
    failed: Vec<FailedService>,

    /// The first failure of each service whose failures do not stop the group.
    ignored: BTreeMap<usize, Exit>,
}

impl Failures {
    pub(crate) fn new() -> Failures {
        Failures {
            lists: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lists> {
        lock(&self.lists)
    }

    /// Adds a failure, and then calls `stop` before another can be added: so the service that the
    /// cause of a stop names is the first in the list.
    pub(crate) fn push<T>(&self, index: usize, exit: Exit, stop: impl FnOnce() -> T) -> T {
        let mut lists = self.lock();
        lists.failed.push(FailedService { index, exit });
        stop()
    }

    /// Adds a failure that does not stop the group, unless the service has one: those of a service
    /// that goes on for months are to take no more room than one.
    pub(crate) fn ignore(&self, index: usize, exit: Exit) {
        let later = match self.lock().ignored.entry(index) {
            Entry::Vacant(vacant) => {
                vacant.insert(exit);
                None
            }
            Entry::Occupied(_) => Some(exit),
        };
        discard(later);
    }

    /// Forgets the failure of a service that leaves nothing behind.
    pub(crate) fn forget(&self, index: usize) {
        let exit = self.lock().ignored.remove(&index);
        discard(exit);
    }

    /// Takes all failures: those that stopped the group, and those that did not.
    pub(crate) fn take(&self) -> (Vec<FailedService>, BTreeMap<usize, Exit>) {
        let Lists { failed, ignored } = std::mem::take(&mut *self.lock());
        (failed, ignored)
    }
}

impl Drop for Failures {
    fn drop(&mut self) {
        let (failed, ignored) = self.take();
        let failed = failed.into_iter().map(|failed| failed.exit);
        failed.chain(ignored.into_values()).for_each(discard);
    }
}

/// Drops failures that nobody is told. Their errors are the user's, and their drop may panic.
fn discard<T>(failure: T) {
    let _ = catch(|| drop(failure));
}
