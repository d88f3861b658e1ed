//! What a task does.

use std::future::Future;
use std::pin::Pin;

/// What a task does.
pub(crate) trait Job: Future<Output = ()> + Send {
    /// Returns when the job is dropped if all are: those with the greatest rank first.
    fn rank(&self) -> u64;

    /// Returns true if the job is not to be dropped yet, as another that is still there needs it.
    fn is_needed(&self) -> bool;
}

/// A job that is all a task does.
pub(crate) type BoxedJob<'a> = Pin<Box<dyn Job + 'a>>;
