//! All services of a group.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::sync::lock;

/// Why a service, or what is asked for it, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The group has been stopped.
    Stopped,

    /// It would have to wait for its turn, which it was not to.
    Full,

    /// It needs a service of another group.
    Foreign,

    /// It needs itself.
    Itself,

    /// It needs a service that was added after it.
    Later,

    /// It needs a service that was told to stop, and has not ended.
    Stopping,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Stopped => "the group has been stopped",
            Reason::Full => "as many services run as the group allows",
            Reason::Foreign => "it needs a service of another group",
            Reason::Itself => "it needs itself",
            Reason::Later => "it needs a service that was added after it",
            Reason::Stopping => "it needs a service that is being stopped",
        })
    }
}

/// All services of a group, in the order in which they were added. They stay until its end.
pub(crate) struct Registry<M> {
    /// Shared with whatever looks at it, so that nothing is called under the lock.
    members: Mutex<Arc<Vec<Arc<M>>>>,
}

impl<M> Registry<M> {
    pub(crate) fn new() -> Registry<M> {
        Registry {
            members: Mutex::new(Arc::new(Vec::new())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Vec<Arc<M>>>> {
        lock(&self.members)
    }

    /// Adds the service that `make` makes, which is given its index.
    pub(crate) fn add<E>(
        &self,
        make: impl FnOnce(usize) -> Result<Arc<M>, E>,
    ) -> Result<Arc<M>, E> {
        let mut members = self.lock();
        let member = make(members.len())?;
        Arc::make_mut(&mut members).push(Arc::clone(&member));
        Ok(member)
    }

    pub(crate) fn get(&self, index: usize) -> Option<Arc<M>> {
        self.lock().get(index).cloned()
    }

    /// Runs `look` while no service is added.
    pub(crate) fn while_closed<T>(&self, look: impl FnOnce() -> T) -> T {
        let _members = self.lock();
        look()
    }

    /// Returns the list as it is now.
    pub(crate) fn snapshot(&self) -> Arc<Vec<Arc<M>>> {
        Arc::clone(&self.lock())
    }

    /// Empties the list, so that handles which outlive the group do not keep its services.
    pub(crate) fn take(&self) -> Vec<Arc<M>> {
        let members = std::mem::take(&mut *self.lock());
        Arc::unwrap_or_clone(members)
    }
}
