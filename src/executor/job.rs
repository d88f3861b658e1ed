//! What a task does.

use std::future::Future;

use super::node::Keyed;

/// What a task does.
pub trait Job: Future<Output = ()> {
    /// Returns what is told the key of the task.
    fn node(&self) -> &dyn Keyed;

    /// Returns when the job is dropped if all are: those with the greatest rank first.
    fn rank(&self) -> u64;

    /// Returns true if the job is not to be dropped yet, as another that is still there needs it.
    fn is_needed(&self) -> bool;
}
