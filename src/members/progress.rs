//! What services say themselves about what they wait for.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::executor::panic::catch;
use crate::sync::{Mutex, OnceLock, lock};

/// Says what a service waits for.
pub(crate) type Report = Arc<dyn Fn() -> String + Send + Sync>;

/// What says what services wait for, by their indices. Most services say nothing.
pub(crate) struct Progress {
    /// Made when a first service says something.
    reports: OnceLock<Box<Mutex<BTreeMap<usize, Report>>>>,
}

impl Progress {
    pub(crate) fn new() -> Progress {
        Progress {
            reports: OnceLock::new(),
        }
    }

    /// Has `report` say what this service waits for, in place of what did before.
    pub(crate) fn set(&self, service: usize, report: Report) {
        let before = lock(self.reports.get_or_init(Box::default)).insert(service, report);
        // The user's, and dropped outside the lock.
        discard(before);
    }

    /// Forgets a service that has ended. One load if none says anything.
    pub(crate) fn remove(&self, service: usize) {
        if let Some(reports) = self.reports.get() {
            let before = lock(reports).remove(&service);
            discard(before);
        }
    }

    /// Returns what a service waits for; `None` if it does not say, or panics.
    pub(crate) fn of(&self, service: usize) -> Option<String> {
        let report = lock(self.reports.get()?).get(&service).cloned()?;
        let text = catch(|| report()).ok();
        discard(Some(report));
        text.filter(|text| !text.is_empty())
    }
}

/// Drops a report. What it owns is the user's, and its drop may panic.
fn discard(report: Option<Report>) {
    let _ = catch(|| drop(report));
}
