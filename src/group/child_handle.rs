//! A child of a service, seen from where it was spawned.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::members::child_output::ChildOutput;
use crate::members::core::Child;

/// A child of a service: what [`Scope::spawn`](crate::Scope::spawn) returns.
///
/// As a future it waits until the child has ended, and returns its value; `None` if it has none:
/// because it failed or panicked, which is a failure of the service already, or because it was
/// aborted, cancelled with the service, or never spawned as the service had ended. The value is
/// returned once; polled again, it is `None`.
///
/// Dropping it leaves the child running.
///
/// # Cancel safety
///
/// `&mut handle` can be awaited, given up and awaited again.
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::Group;
///
/// let mut group = Group::new();
/// group.add("parent", async |scope| {
///     let sum = scope.spawn(async { Ok::<_, std::convert::Infallible>(3 + 4) });
///     assert_eq!(sum.await, Some(7));
///
///     let endless = scope.spawn(future::pending::<()>());
///     endless.abort();
///     assert_eq!(endless.await, None);
/// });
/// future::block_on(group.run())?;
/// # Ok::<(), neap::Error>(())
/// ```
pub struct ChildHandle<T> {
    /// `None` if there never was one.
    child: Option<Arc<Child>>,

    output: Arc<ChildOutput<T>>,
}

impl<T> ChildHandle<T> {
    pub(super) fn new(child: Arc<Child>, output: Arc<ChildOutput<T>>) -> ChildHandle<T> {
        ChildHandle {
            child: Some(child),
            output,
        }
    }

    /// Returns the handle of a child that was not spawned.
    pub(super) fn of_none(output: Arc<ChildOutput<T>>) -> ChildHandle<T> {
        ChildHandle {
            child: None,
            output,
        }
    }

    /// Has the child dropped, at its next turn; does nothing if it has ended.
    ///
    /// This is no failure. Await the handle to know that it is gone: a child that returned before it
    /// was dropped has its value all the same.
    pub fn abort(&self) {
        if let Some(child) = &self.child {
            child.abort();
        }
    }

    /// Returns true once the child has ended, in whatever way.
    pub fn is_finished(&self) -> bool {
        self.child.is_none() || self.output.has_ended()
    }
}

impl<T> Future for ChildHandle<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.child.is_none() {
            return Poll::Ready(None);
        }
        self.output.poll(cx)
    }
}

impl<T> fmt::Debug for ChildHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildHandle")
            .field("is_finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}
