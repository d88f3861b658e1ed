//! What an executor needs to know of the group whose tasks it runs.

use super::scheduler::Scheduler;

/// What an executor needs to know of the group whose tasks it runs.
pub(crate) trait Host: Send + Sync + 'static {
    /// Returns what wakes the tasks.
    fn scheduler(&self) -> &Scheduler;

    /// Returns true if tasks that have not started are not to start.
    fn is_stopped(&self) -> bool;
}
