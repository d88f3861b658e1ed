//! The failures of a group's services.

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

/// The failures of a group's services, in the order in which they came.
pub(crate) struct Failures {
    list: Mutex<Vec<FailedService>>,
}

impl Failures {
    pub(crate) fn new() -> Failures {
        Failures {
            list: Mutex::new(Vec::new()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<FailedService>> {
        lock(&self.list)
    }

    /// Adds a failure, and then calls `stop` before another can be added: so the service that the
    /// cause of a stop names is the first in the list.
    pub(crate) fn push<T>(&self, index: usize, exit: Exit, stop: impl FnOnce() -> T) -> T {
        let mut list = self.lock();
        list.push(FailedService { index, exit });
        stop()
    }

    /// Takes all failures.
    pub(crate) fn take(&self) -> Vec<FailedService> {
        std::mem::take(&mut *self.lock())
    }
}

impl Drop for Failures {
    fn drop(&mut self) {
        // These were not told. Their errors are the user's, and their drop may panic.
        for failed in self.take() {
            let _ = catch(|| drop(failed));
        }
    }
}
