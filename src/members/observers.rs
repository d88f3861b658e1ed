//! Those that are told of each event of a group: a recorder, and functions of the user's.

use super::event::Occurrence;
use super::recorder::Recorder;
use crate::executor::panic::catch;
use crate::sync::OnceLock;

/// Those that are told of each event of a group. A group has none until there is a first one.
pub(crate) struct Observers {
    pub(super) recorder: OnceLock<Recorder>,

    /// The first of the functions.
    first: Next,
}

/// A function of the user's, and the one after it.
struct Hook {
    call: Box<dyn Fn(&Occurrence) + Send + Sync>,
    next: Next,
}

type Next = OnceLock<Box<Hook>>;

impl Observers {
    pub(super) fn new() -> Observers {
        Observers {
            recorder: OnceLock::new(),
            first: OnceLock::new(),
        }
    }

    /// Adds a recorder; without effect if there is one.
    pub(crate) fn set_recorder(&self, recorder: &Recorder) {
        let _ = self.recorder.set(recorder.clone());
    }

    /// Adds a function.
    pub(crate) fn add_hook(&self, call: Box<dyn Fn(&Occurrence) + Send + Sync>) {
        let mut place = &self.first;
        while let Some(hook) = place.get() {
            place = &hook.next;
        }
        let next = OnceLock::new();
        let _ = place.set(Box::new(Hook { call, next }));
    }

    pub(super) fn has_hooks(&self) -> bool {
        self.first.get().is_some()
    }

    /// Calls the functions in the order in which they were added. A panic of one ends here, as that
    /// of a logger does.
    pub(super) fn call(&self, occurrence: &Occurrence) {
        let mut place = &self.first;
        while let Some(hook) = place.get() {
            let _ = catch(|| (hook.call)(occurrence));
            place = &hook.next;
        }
    }
}
