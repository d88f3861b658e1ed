//! What a service may end with, and what that does to its group.

use super::exit::{BoxError, End};

/// What a service may end with: `()`, or `Result<(), E>` with an error that can be boxed; or never.
///
/// So `?` works in a service with every error of std, with `anyhow::Error`, and with a string:
///
/// ```
/// use neap::Group;
///
/// let mut group = Group::new();
/// group.add("never fails", async |_| {});
/// group.race("never ends", async { loop { futures_lite::future::yield_now().await } });
/// group.add("fails with a string", async |_| { Err("xxx") });
/// group.add("reads", async |_| { std::fs::read("a file").map(drop) });
/// group.add("anything", async |_| { anyhow::Ok(println!("{}", "7".parse::<u8>()?)) });
/// ```
///
/// A `Box<dyn Error>` can hold what may not go to other threads; [`BoxError`] cannot, and will do:
///
/// ```compile_fail,E0277
/// use std::error::Error;
///
/// let mut group = neap::Group::new();
/// group.add("reads", async |_| { Err::<(), Box<dyn Error>>("xxx".into()) });
/// ```
///
/// It cannot be implemented outside this crate.
#[diagnostic::on_unimplemented(
    message = "a service cannot end with `{Self}`",
    label = "this is not how a service can end",
    note = "it ends in `()`, or in `Result<(), E>` where `E` converts into `Box<dyn Error + Send + Sync>`",
    note = "instead of `Box<dyn Error>`, use `neap::BoxError`, which is `Send` and `Sync`"
)]
pub trait ServiceResult: sealed::IntoEnd {}

#[diagnostic::do_not_recommend]
impl<T: sealed::IntoEnd> ServiceResult for T {}

/// What a child of a service may end with: `()`, or `Result<T, E>` with an error that can be boxed; or
/// never.
///
/// The value, `T`, is for whoever awaits its [handle](crate::ChildHandle). The error is a failure of
/// the service. A child that cannot fail says so: `Ok::<_, Infallible>(value)`. One that is to hand an
/// error over, and not fail the service, returns the result as its value:
///
/// ```
/// use std::convert::Infallible;
/// use std::num::ParseIntError;
/// use futures_lite::future;
/// use neap::Group;
///
/// let mut group = Group::new();
/// group.add("parent", async move |scope| {
///     let sum = scope.spawn(async move { Ok::<_, Infallible>(3 + 4) });
///     assert_eq!(sum.await, Some(7));
///
///     let parsed = scope.spawn(async move { Ok::<_, Infallible>("seven".parse::<u32>()) });
///     let parsed: Option<Result<u32, ParseIntError>> = parsed.await;
///     assert!(parsed.unwrap().is_err());
/// });
/// future::block_on(group.run())?;
/// # Ok::<(), neap::Error>(())
/// ```
///
/// It cannot be implemented outside this crate.
pub trait ChildResult: sealed::IntoValue {}

#[diagnostic::do_not_recommend]
impl<T: sealed::IntoValue> ChildResult for T {}

pub(crate) mod sealed {
    use super::{BoxError, End};
    use crate::service::exit::{Failure, boxed};

    pub trait IntoEnd {
        #[doc(hidden)]
        fn into_end(self) -> End;
    }

    // Here and not on `ChildResult`, as it is this that the compiler misses first: the handle of the
    // child is made of `Value`.
    #[diagnostic::on_unimplemented(
        message = "a child cannot end with `{Self}`",
        label = "this is not how a child can end",
        note = "it ends in `()`, or in `Result<T, E>` where `E` converts into `Box<dyn Error + Send + Sync>`",
        note = "for a plain value, return `Ok::<_, std::convert::Infallible>(value)`",
        note = "instead of `Box<dyn Error>`, use `neap::BoxError`, which is `Send` and `Sync`"
    )]
    pub trait IntoValue {
        #[doc(hidden)]
        type Value;

        #[doc(hidden)]
        fn into_value(self) -> Result<Self::Value, Failure>;
    }

    impl IntoValue for () {
        type Value = ();

        fn into_value(self) -> Result<(), Failure> {
            Ok(())
        }
    }

    #[diagnostic::do_not_recommend]
    impl<T, E: Into<BoxError> + 'static> IntoValue for Result<T, E> {
        type Value = T;

        fn into_value(self) -> Result<T, Failure> {
            self.map_err(|error| Failure::Error(boxed(error)))
        }
    }

    /// A child may be a loop without an end.
    impl IntoValue for <fn() -> ! as Returns>::Output {
        type Value = ();

        fn into_value(self) -> Result<(), Failure> {
            self
        }
    }

    impl IntoEnd for () {
        fn into_end(self) -> End {
            End::Finished
        }
    }

    /// What a function returns, which is a way to name `!` where the language does not let us.
    pub trait Returns {
        #[doc(hidden)]
        type Output;
    }

    impl<T> Returns for fn() -> T {
        type Output = T;
    }

    /// A service may be a loop without an end.
    impl IntoEnd for <fn() -> ! as Returns>::Output {
        fn into_end(self) -> End {
            self
        }
    }

    impl IntoEnd for End {
        fn into_end(self) -> End {
            self
        }
    }

    #[diagnostic::do_not_recommend]
    impl<E: Into<BoxError> + 'static> IntoEnd for Result<(), E> {
        fn into_end(self) -> End {
            match self {
                Ok(()) => End::Finished,
                Err(error) => End::Failed(Failure::Error(boxed(error))),
            }
        }
    }

    /// What a race ends with: nothing if the stop came first.
    #[derive(Debug)]
    pub(crate) struct Raced<R>(pub(crate) Option<R>);

    impl<R: IntoEnd> IntoEnd for Raced<R> {
        fn into_end(self) -> End {
            self.0.map_or(End::Dropped, R::into_end)
        }
    }
}

/// What a service that finishes well does to its group.
///
/// What a failure or a panic does to it is set by [`OnFailure`].
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::{Cause, Group, OnExit};
///
/// let mut group = Group::new();
/// group.add("server", async move |scope| {
///     scope.stopped().await;
/// });
/// group.add("job", async |_| {}).on_exit(OnExit::Stop);
///
/// let outcome = future::block_on(group.run())?;
/// assert_eq!(*outcome.cause(), Cause::Finished("job".into()));
/// # Ok::<(), neap::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnExit {
    /// Leaves the others running: the rule of Go's errgroup.
    #[default]
    Continue,

    /// Stops the group.
    Stop,
}

/// What a service does to its group when it fails or panics.
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::{Group, OnFailure};
///
/// let mut group = Group::new();
/// group.add("metrics", async |_| Err("no such host")).on_failure(OnFailure::Ignore);
/// group.add("job", async |_| {});
///
/// let outcome = future::block_on(group.run())?;
/// let ignored = outcome.ignored_failures().next().unwrap();
/// assert_eq!(ignored.exit().to_string(), "failed: no such host");
/// # Ok::<(), neap::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// Stops the group, which ends in an error: the rule of Go's errgroup.
    #[default]
    Stop,

    /// Leaves the others running. The failure is logged, and no failure of the group.
    Ignore,
}
