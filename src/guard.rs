//! Something that has to be over before a service counts as ended.

use std::fmt;
use std::sync::Arc;

use crate::Scope;
use crate::member::Member;

/// Keeps a service from counting as ended until it is dropped: what
/// [`Scope::guard`] returns.
///
/// Borrows nothing, so that threads, and tasks of other executors, can hold it.
#[must_use = "dropping it at once guards nothing"]
pub struct Guard {
    member: Arc<Member>,
}

impl Scope<'_> {
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
    /// group.add("writer", |scope| async move {
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
        let member = self.member();
        member.enter_child().then(|| Guard {
            member: Arc::clone(member),
        })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.member.leave_child();
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("service", &self.member.name())
            .finish()
    }
}
