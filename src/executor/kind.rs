//! Whether the tasks of a group may go to other threads.

use self::sealed::Boxes;

/// The kind of a group whose services may go to other threads, which is how a group is unless it is
/// a [`LocalGroup`](crate::LocalGroup).
#[derive(Debug)]
pub enum Shared {}

/// The kind of a [`LocalGroup`](crate::LocalGroup), whose services stay on one thread.
#[derive(Debug)]
pub enum Local {}

/// The kinds of groups: [`Shared`] and [`Local`].
///
/// It cannot be implemented outside this crate.
///
/// # Examples
///
/// What does not depend on the kind can be written for both:
///
/// ```
/// use std::time::Duration;
/// use neap::{Group, TaskKind};
///
/// fn hurry<K: TaskKind>(group: Group<'_, K>) -> Group<'_, K> {
///     group.drain_timeout(Duration::from_secs(1))
/// }
///
/// let (shared, local) = (hurry(Group::new()), hurry(Group::local()));
/// # drop((shared, local));
/// ```
pub trait TaskKind: Boxes {}

impl TaskKind for Shared {}

impl TaskKind for Local {}

/// A boxed job of this kind.
pub(crate) type BoxedJob<'a, K> = std::pin::Pin<Box<<K as Boxes>::Job<'a>>>;

/// A boxed future of this kind.
pub(crate) type BoxedFuture<'a, K, T> = std::pin::Pin<Box<<K as Boxes>::Future<'a, T>>>;

/// A boxed stream of this kind.
pub(crate) type BoxedStream<'a, K, T> = std::pin::Pin<Box<<K as Boxes>::Stream<'a, T>>>;

pub(crate) mod sealed {
    use std::future::Future;
    use std::pin::Pin;

    use futures_lite::Stream;

    use super::{Local, Shared};
    use crate::executor::job::Job;
    use crate::executor::kept::Keep;

    /// What is boxed for a group of this kind. The bounds of all else follow from these.
    pub trait Boxes: Sized + 'static {
        type Job<'a>: Job + ?Sized;
        type Spawn<'a, T>: Fn(T) + ?Sized;
        type Kept: Keep + ?Sized;
        type Future<'a, T>: Future<Output = T> + ?Sized;
        type Stream<'a, T>: Stream<Item = T> + ?Sized;

        /// Takes a job that may go to other threads, as every kind can.
        fn take<'a>(job: Pin<Box<dyn Job + Send + 'a>>) -> Pin<Box<Self::Job<'a>>>;
    }

    impl Boxes for Shared {
        type Job<'a> = dyn Job + Send + 'a;
        type Spawn<'a, T> = dyn Fn(T) + Send + Sync + 'a;
        type Kept = dyn Keep + Send + Sync;
        type Future<'a, T> = dyn Future<Output = T> + Send + 'a;
        type Stream<'a, T> = dyn Stream<Item = T> + Send + 'a;

        fn take<'a>(job: Pin<Box<dyn Job + Send + 'a>>) -> Pin<Box<dyn Job + Send + 'a>> {
            job
        }
    }

    impl Boxes for Local {
        type Job<'a> = dyn Job + 'a;
        type Spawn<'a, T> = dyn Fn(T) + 'a;
        type Kept = dyn Keep;
        type Future<'a, T> = dyn Future<Output = T> + 'a;
        type Stream<'a, T> = dyn Stream<Item = T> + 'a;

        fn take<'a>(job: Pin<Box<dyn Job + Send + 'a>>) -> Pin<Box<dyn Job + 'a>> {
            job
        }
    }
}
