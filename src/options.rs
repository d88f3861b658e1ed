//! What can be different about a service, and what identifies it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::OnExit;
use crate::hub::Hub;
use crate::member::Member;

/// Identifies a service within its group.
///
/// # Examples
///
/// ```
/// use neap::Group;
///
/// let mut group = Group::new();
/// let first = group.add("worker", |_| async {}).id();
/// let second = group.add("worker", |_| async {}).id();
/// assert_ne!(first, second, "a name is a label; an id is not");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServiceId {
    /// Which group, so that the id of another is not taken for one of its own.
    group: u64,
    index: usize,
}

impl ServiceId {
    pub(crate) fn new(hub: &Hub, index: usize) -> ServiceId {
        ServiceId {
            group: hub.id(),
            index,
        }
    }
}

/// A service that was added just now, for setting what is to be different about it.
pub struct Added<'g> {
    pub(crate) hub: &'g Hub,
    pub(crate) member: Arc<Member>,
}

impl Added<'_> {
    /// What identifies the service within its group.
    pub fn id(&self) -> ServiceId {
        ServiceId::new(self.hub, self.member.index())
    }

    /// Lets the group end without this service, which is then stopped, last of all.
    ///
    /// For what serves the others: metrics, a watch on something. It is told to stop once every
    /// service that is not in the background has ended.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Cause, Group};
    ///
    /// let mut group = Group::new();
    /// group.add("metrics", |scope| async move {
    ///     assert_eq!(scope.stopped().await, Cause::Ended);
    /// }).background();
    /// group.add("job", |_| async {});
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn background(self) -> Self {
        if self.member.set_background() {
            self.hub.move_to_background();
        }
        self
    }

    /// Sets what the service does to the group when it finishes well.
    pub fn on_exit(self, on_exit: OnExit) -> Self {
        self.member.set_on_exit(on_exit);
        self
    }

    /// Sets how long the service may take to end once it is told to stop, within what the group
    /// allows; in milliseconds, rounded up.
    ///
    /// Zero means not to drain. 49 days or more are as long as the group allows.
    pub fn drain_timeout(self, timeout: Duration) -> Self {
        self.member.set_drain_timeout(timeout);
        self
    }
}

impl fmt::Debug for Added<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Added")
            .field("name", &self.member.name())
            .finish_non_exhaustive()
    }
}

/// What is to be different about a service that is added with [`Handle::add_with`](crate::Handle::add_with).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use neap::{OnExit, Options};
///
/// let options = Options::new().drain_timeout(Duration::from_secs(1)).on_exit(OnExit::Stop);
/// # drop(options);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct Options {
    background: bool,
    on_exit: OnExit,
    drain_timeout: Option<Duration>,
}

impl Options {
    /// Nothing is different.
    pub fn new() -> Options {
        Options::default()
    }

    /// See [`Added::background`](crate::Added::background).
    pub fn background(self) -> Options {
        Options {
            background: true,
            ..self
        }
    }

    /// See [`Added::on_exit`](crate::Added::on_exit).
    pub fn on_exit(self, on_exit: OnExit) -> Options {
        Options { on_exit, ..self }
    }

    /// See [`Added::drain_timeout`](crate::Added::drain_timeout).
    pub fn drain_timeout(self, timeout: Duration) -> Options {
        Options {
            drain_timeout: Some(timeout),
            ..self
        }
    }

    /// Sets all this for a service that has not started.
    pub(crate) fn apply(self, member: &Member) {
        member.set_on_exit(self.on_exit);
        if let Some(timeout) = self.drain_timeout {
            member.set_drain_timeout(timeout);
        }
        if self.background {
            member.set_background();
        }
    }
}
