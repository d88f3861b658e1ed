//! A service of a group that does not run yet.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::members::core::{Core, Member};
use crate::service::exit::Failure;
use crate::service::id::ServiceId;
use crate::service::result::{OnExit, OnFailure};

/// A service that was added just now, for setting what is to be different about it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use neap::{Group, OnExit};
///
/// let mut group = Group::new();
/// let added = group.add("job", async |_| {});
/// added.on_exit(OnExit::Stop).drain_timeout(Duration::from_secs(1));
/// ```
pub struct Added<'g> {
    core: &'g Core,
    member: Arc<Member>,
}

impl<'g> Added<'g> {
    pub(super) fn new(core: &'g Core, member: Arc<Member>) -> Added<'g> {
        Added { core, member }
    }

    /// What identifies the service within its group.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let id = group.add("job", async |_| {}).id();
    /// assert_eq!(group.handle().status().services()[0].id(), id);
    /// ```
    pub fn id(&self) -> ServiceId {
        ServiceId::new(self.core.id, self.member.index())
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
    /// group.add("metrics", async move |scope| {
    ///     assert_eq!(scope.stopped().await, Cause::Ended);
    /// }).background();
    /// group.add("job", async |_| {});
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn background(self) -> Self {
        self.core.move_to_background(&self.member);
        self
    }

    /// Has the service start once another is ready, and end before that one is told to stop.
    ///
    /// A service is ready when its first poll has returned, or when it says so, see
    /// [`Scope::starting`](crate::Scope::starting); one that finishes is ready too. If it ends
    /// without, as one that was [stopped alone](crate::Handle::stop_one) may, this one is not
    /// started. A service can need any number of others, and be needed by any number. Those that
    /// need nothing of each other start, and stop, together.
    ///
    /// The order is kept in all ways to end: while draining, while cancelling, and after a failed
    /// start. A service that waits for those that need it has until the deadline of the group,
    /// like all others; time does not stand still for it. A service in the background that needs
    /// one which is not is stopped before that one, and so not last.
    ///
    /// # Errors
    ///
    /// Needing a service of another group, itself, one that was added later, or one that is being
    /// stopped, is a failure of this service: nothing will start, and `run` returns it.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let db = group.add("db", async move |scope| {
    ///     scope.starting();
    ///     println!("connecting");
    ///     scope.ready();
    ///     scope.stopped().await;
    ///     println!("no service needs the database any more");
    /// }).id();
    /// group.add("http", async |_| { println!("serving") }).needs(db);
    /// # let handle = group.handle();
    /// # group.race("end", async move { handle.started().await.unwrap(); handle.stop(); });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn needs(self, id: ServiceId) -> Self {
        if let Err(reason) = self.core.need(&self.member, id) {
            // A mistake of the program: that the service's failures are ignored does not hide it.
            self.member
                .fail_always(Failure::Error(reason.to_string().into()));
        }
        self
    }

    /// Sets how long the service may take from its start until it is ready, and has it say so.
    ///
    /// With this it is not ready by its first poll, but by [`Scope::ready`](crate::Scope::ready)
    /// or its end. If that takes longer, it has failed, and the group is stopped: those that are
    /// up are told in order.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("db", async move |scope| {
    ///     scope.stopped().await; // never says that it is ready
    /// }).start_timeout(Duration::from_millis(5));
    /// let error = future::block_on(group.run()).unwrap_err();
    /// assert_eq!(error.to_string(), "service `db` failed: it was not ready 5ms after its start");
    /// ```
    pub fn start_timeout(self, timeout: Duration) -> Self {
        self.core.limit_start(&self.member, timeout);
        self
    }

    /// Sets what the service does to the group when it finishes well.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Cause, Group, OnExit};
    ///
    /// let mut group = Group::new();
    /// group.add("server", async move |scope| { scope.stopped().await; });
    /// group.add("job", async |_| {}).on_exit(OnExit::Stop);
    /// let outcome = future::block_on(group.run())?;
    /// assert_eq!(*outcome.cause(), Cause::Finished("job".into()));
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn on_exit(self, on_exit: OnExit) -> Self {
        self.member.data.set_on_exit(on_exit);
        self
    }

    /// Sets what the service does to the group when it fails or panics, or a child of it does.
    ///
    /// With [`OnFailure::Ignore`] the others go on, also with [`OnExit::Stop`], which is for a good end,
    /// and `run` may return Ok. The failure is logged, and is in the service's
    /// [report](crate::Outcome::ignored_failures): the first one, if there are several. What [needs](Added::needs) the service goes on too if that was ready, as it does after
    /// a good end, and is not started otherwise. A service that is not ready in
    /// [time](Added::start_timeout) is stopped, alone.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Group, OnFailure};
    ///
    /// let mut group = Group::new();
    /// group.add("warm-up", async |_| Err("no cache")).on_failure(OnFailure::Ignore);
    /// assert!(future::block_on(group.run()).is_ok());
    /// ```
    pub fn on_failure(self, on_failure: OnFailure) -> Self {
        self.member.data.set_on_failure(on_failure);
        self
    }

    /// Sets how long the service may take to end once it is told to stop, within what the group
    /// allows; in milliseconds, rounded up.
    ///
    /// Zero means not to drain. 24 days or more are as long as the group allows.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("deaf", |_| future::pending::<()>()).drain_timeout(Duration::from_millis(5));
    /// group.add("operator", async move |_| { handle.stop(); });
    /// assert!(future::block_on(group.run()).unwrap_err().is_timeout());
    /// ```
    pub fn drain_timeout(self, timeout: Duration) -> Self {
        self.member.data.set_drain_timeout(timeout);
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
