//! What a task does.

use std::future::Future;
use std::pin::Pin;

/// What a task does.
pub(crate) trait Job: Future<Output = ()> + Send {
    /// Returns when the job is dropped if all are: those with the greatest rank first.
    fn rank(&self) -> u64;
}

/// A job that is all a task does.
pub(crate) type BoxedJob<'a> = Pin<Box<dyn Job + 'a>>;
