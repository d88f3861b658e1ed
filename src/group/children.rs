//! What a service has beside its own future, and is joined before it counts as ended.

use std::future::Future;
use std::sync::Arc;

use super::child_handle::ChildHandle;
use super::guard::Guard;
use super::scope::Scope;
use crate::members::child_output::ChildOutput;
use crate::members::child_task::ChildTask;
use crate::members::core::{Child, Member};
use crate::service::result::ChildResult;
use crate::service::result::sealed::IntoValue;

impl<'a> Scope<'a> {
    /// Spawns a child of the service, on the executor of the group.
    ///
    /// The service counts as ended only once its children have ended too, and what becomes of a
    /// child becomes of the service: its failure or panic is the service's, and it is dropped with
    /// the service at the deadline. A child that should end at the stop has to see to it itself,
    /// with a [`token`](Scope::token) or a clone of the scope.
    ///
    /// The handle can be awaited for what the child returns, and can abort it. If it is dropped, the
    /// child goes on.
    ///
    /// Children can still be spawned after the stop, to finish what is in flight. Once the service
    /// has been cancelled or has ended, the future is dropped at once.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("parent", async |scope| {
    ///     let first = scope.spawn(async { "7".parse::<u32>() });
    ///     let second = scope.spawn(async { "8".parse::<u32>() });
    ///     assert_eq!((first.await, second.await), (Some(7), Some(8)));
    ///     scope.spawn(async { "tired".parse::<u32>() });
    /// });
    /// let error = future::block_on(group.run()).unwrap_err();
    /// assert_eq!(error.to_string(), "service `parent` failed: invalid digit found in string");
    /// ```
    pub fn spawn<F>(&self, future: F) -> ChildHandle<<F::Output as IntoValue>::Value>
    where
        F: Future + Send + 'a, // borrows? write async move; not Send? LocalGroup
        F::Output: ChildResult<Value: Send + 'a>,
    {
        spawn_child(self.member(), |child, output| {
            let task = ChildTask::new(Arc::clone(&child), future, output);
            self.spawner.spawn(child, Box::pin(task));
        })
    }

    /// Has the service, and so the group, wait for something that is neither its future nor a
    /// [child](Scope::spawn) of it: a blocking thread, a task on another executor.
    ///
    /// A guard is counted like a child, and joined like one; but there is no future to drop, so
    /// one that is still held `cancel_timeout` after the service was cancelled has it abandoned.
    /// `None` once the service has been cancelled, or has ended.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// let mut group = Group::new();
    /// group.add("writer", async move |scope| {
    ///     let guard = scope.guard();
    ///     std::thread::spawn(move || {
    ///         sender.send("written").unwrap();
    ///         drop(guard);
    ///     });
    /// });
    /// future::block_on(group.run())?;
    /// assert_eq!(receiver.try_recv(), Ok("written"));
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn guard(&self) -> Option<Guard> {
        Guard::new(self.member())
    }
}

/// Has a child of a service spawned, unless the service has been cancelled or has ended.
pub(super) fn spawn_child<T>(
    member: &Arc<Member>,
    spawn: impl FnOnce(Arc<Child>, Arc<ChildOutput<T>>),
) -> ChildHandle<T> {
    let output = Arc::new(ChildOutput::new());
    if !member.enter_child() {
        return ChildHandle::of_none(output);
    }
    let child = Member::child(member);
    spawn(Arc::clone(&child), Arc::clone(&output));
    ChildHandle::new(child, output)
}
