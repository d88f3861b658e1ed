//! Those that are told of each event of a group: a recorder, and functions of the user's.

use std::sync::Arc;

use super::event::Occurrence;
use super::recorder::Recorder;
use crate::executor::panic::catch;
use crate::sync::{Mutex, OnceLock, lock};

/// Those that are told of each event of a group. A group has none until there is a first one.
pub(crate) struct Observers {
    pub(super) recorder: OnceLock<Recorder>,

    /// Cloned out to be called: no code of the user's runs under the lock.
    hooks: Mutex<Arc<Vec<Hook>>>,
}

/// A function of the user's.
type Hook = Arc<dyn Fn(&Occurrence) + Send + Sync>;

impl Observers {
    pub(super) fn new() -> Observers {
        Observers {
            recorder: OnceLock::new(),
            hooks: Mutex::default(),
        }
    }

    /// Adds a recorder; without effect if there is one.
    pub(crate) fn set_recorder(&self, recorder: &Recorder) {
        let _ = self.recorder.set(recorder.clone());
    }

    /// Adds a function.
    pub(crate) fn add_hook(&self, hook: Hook) {
        Arc::make_mut(&mut lock(&self.hooks)).push(hook);
    }

    fn hooks(&self) -> Arc<Vec<Hook>> {
        Arc::clone(&lock(&self.hooks))
    }

    pub(super) fn has_hooks(&self) -> bool {
        !lock(&self.hooks).is_empty()
    }

    /// Calls the functions in the order in which they were added. A panic of one ends here, as that
    /// of a logger does.
    pub(super) fn call(&self, occurrence: &Occurrence) {
        for hook in self.hooks().iter() {
            let _ = catch(|| hook(occurrence));
        }
    }

    /// Drops the functions: they may hold a handle of the group, which holds them.
    pub(super) fn drop_hooks(&self) {
        let hooks = std::mem::take(&mut *lock(&self.hooks));
        let _ = catch(|| drop(hooks));
    }
}
