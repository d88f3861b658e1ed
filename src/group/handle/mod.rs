//! A group, seen from elsewhere while it runs.

mod add;

use std::fmt;
use std::io;
use std::sync::Arc;

use super::watchdog;
use crate::executor::spawner::Spawner;
use crate::members::core::Core;
use crate::members::notices::Notice;
use crate::outcome::status::Status;
use crate::service::id::ServiceId;
use crate::stop::cause::Cause;
use crate::stop::run_until::run_until;
use crate::stop::token::StopToken;

/// Stops a group, and adds to it, from elsewhere.
///
/// Clones are handles of the same group. It can be used before the group is run, from its own
/// services, and from other threads; holding one does not keep the group alive.
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::{Cause, Group};
///
/// let mut group = Group::new();
/// let handle = group.handle();
/// group.add("server", async move |scope| { scope.stopped().await; });
/// let running = std::thread::spawn(|| future::block_on(group.run()));
///
/// assert!(handle.stop());
/// assert!(!handle.stop(), "it was stopped before");
/// assert!(handle.is_stopped() && handle.token().is_stopped());
/// assert_eq!(handle.cause(), Some(Cause::Requested));
/// let outcome = running.join().unwrap()?;
/// assert_eq!(*outcome.cause(), Cause::Requested);
/// # Ok::<(), neap::Error>(())
/// ```
pub struct Handle<'a> {
    core: Arc<Core>,
    spawner: Arc<Spawner<'a>>,
}

impl<'a> Handle<'a> {
    pub(super) fn new(core: &Arc<Core>, spawner: &Arc<Spawner<'a>>) -> Handle<'a> {
        Handle {
            core: Arc::clone(core),
            spawner: Arc::clone(spawner),
        }
    }

    /// Returns what the group consists of, for the edges of this crate.
    #[cfg(all(unix, feature = "systemd"))]
    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// Stops the group; false if it was stopped before, in which case this does nothing.
    ///
    /// A stop before [`run`](crate::Group::run) is remembered: nothing will start.
    pub fn stop(&self) -> bool {
        self.stop_with(Cause::Requested)
    }

    /// Stops the group as [`stop`](Handle::stop) does, and says why: in words, or with another
    /// [`Cause`].
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("licence", async move |_| { handle.stop_with("the licence has run out"); });
    /// let outcome = future::block_on(group.run())?;
    /// assert_eq!(outcome.cause().to_string(), "request (the licence has run out)");
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn stop_with(&self, cause: impl Into<Cause>) -> bool {
        self.core.stop(cause.into())
    }

    /// Cancels the group: what has not ended is dropped at once. Stops it first, if need be.
    ///
    /// What a second signal does. The services that this drops are
    /// [stragglers](crate::Outcome::stragglers), and make the outcome an error.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("deaf", |_| future::pending::<()>());
    /// let handle = group.handle();
    /// group.add("impatient", async move |_| { handle.cancel() });
    /// let error = future::block_on(group.run()).unwrap_err();
    /// assert!(error.is_timeout());
    /// assert_eq!(error.service(), Some("deaf"));
    /// ```
    pub fn cancel(&self) {
        self.core.stop(Cause::Requested);
        self.core.notices.send(Notice::Cancel);
    }

    /// Stops one service, and leaves the group running; false if it has been told before, has
    /// ended, or is of another group.
    ///
    /// It drains as it would with the group, within its own timeout or else the group's, also if its
    /// own is 24 days or more, and is cancelled and a straggler after that. Those that [need](crate::Added::needs) it, directly or
    /// not, are stopped before it. Ending so is no failure, and stops no other service. The cause that
    /// it reads is [`Cause::Requested`].
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// let cache = group.add("cache", async move |scope| { scope.stopped().await; }).id();
    /// group.add("operator", async move |_| {
    ///     assert!(handle.stop_one(cache));
    ///     assert!(!handle.is_stopped());
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn stop_one(&self, id: ServiceId) -> bool {
        self.core.stop_one(id)
    }

    /// Cancels one service, and leaves the group running; false if it has been cancelled before, has
    /// ended, or is of another group.
    ///
    /// It is dropped, with its children, at its next turn. Those that [need](crate::Added::needs) it
    /// are stopped before it, and drain: it is dropped once they have ended. As this was asked for,
    /// it is no failure and no [straggler](crate::Outcome::stragglers); its exit is
    /// [`Exit::Cancelled`](crate::Exit::Cancelled), or [`Exit::NotStarted`](crate::Exit::NotStarted)
    /// if it still waited to start. One that blocks its thread, or is [guarded](crate::Scope::guard),
    /// past the [cancel timeout](crate::Group::cancel_timeout) is abandoned, and a straggler.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// let deaf = group.add("deaf", |_| future::pending::<()>()).id();
    /// group.add("operator", async move |_| {
    ///     assert!(handle.cancel_one(deaf));
    ///     handle.ended(deaf).await;
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn cancel_one(&self, id: ServiceId) -> bool {
        self.core.cancel_one(id)
    }

    /// Waits until a service has ended, with its children, or has been abandoned. Returns at once if
    /// it is of another group, or if the group has ended. If the future of
    /// [`run`](crate::Group::run) was dropped, that is once what is left of the service is gone.
    ///
    /// How it ended is in its report, in the outcome.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped and made anew at any time.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("main", async move |_| {
    ///     let job = handle.add("job", async |_| { println!("first") }).unwrap();
    ///     handle.ended(job).await;
    ///     println!("second");
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub async fn ended(&self, id: ServiceId) {
        self.core.gone(id).await;
    }

    /// Returns how each service is at this moment.
    ///
    /// Costs some tens of nanoseconds for each, and disturbs none: it can be asked for often.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{Group, State};
    ///
    /// let mut group = Group::new();
    /// group.add("job", async |_| {});
    /// assert_eq!(group.handle().status().services()[0].state(), State::Waiting);
    /// ```
    pub fn status(&self) -> Status {
        Status::new(&self.core, &self.core.members())
    }

    /// Returns true once the group has been stopped. One load.
    pub fn is_stopped(&self) -> bool {
        self.core.is_stopped()
    }

    /// Returns why the group was stopped; `None` before that.
    pub fn cause(&self) -> Option<Cause> {
        self.core.cause()
    }

    /// Returns a token that is stopped when the group is.
    pub fn token(&self) -> StopToken {
        self.core.token()
    }

    /// Waits until every service of the group is ready, or has ended.
    ///
    /// Those that wait for their turn in a group with a [limit](crate::Group::limit) are waited
    /// for too. Services that are added meanwhile may or may not be.
    ///
    /// # Errors
    ///
    /// The cause of the stop, if the group was stopped before, or has ended.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped and made anew at any time.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("db", async move |scope| {
    ///     scope.starting();
    ///     future::yield_now().await;
    ///     scope.ready();
    /// });
    /// group.add("announcer", async move |_| {
    ///     if handle.started().await.is_ok() {
    ///         println!("all is up");
    ///     }
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub async fn started(&self) -> Result<(), Cause> {
        let stopped = self.token().stopped();
        match run_until(self.core.all_up(), stopped).await {
            Some(()) if !self.is_stopped() => Ok(()),
            _ => Err(self.cause().unwrap_or(Cause::Ended)),
        }
    }

    /// Starts a thread, and one that prints for it, which ends the process, with exit code
    /// [`WATCHDOG_EXIT_CODE`](crate::WATCHDOG_EXIT_CODE), if a service blocks the executor for so
    /// long after the stop that the group cannot end itself.
    ///
    /// That is when the drain timeout and the cancel timeout have passed and the future of the
    /// group has not been polled when it was due: a service in place blocks its thread, and with
    /// it the group. (On an executor of several threads such a service is
    /// [abandoned](crate::Exit::Abandoned), and the group ends.) Before that it is printed on
    /// standard error which services have not ended, unless that takes more than 200
    /// milliseconds. No handlers of atexit(3) run. It does nothing before the stop, or if the drain may
    /// take forever, and is gone once the group is.
    ///
    /// The clock is the real one. The stop has to be latched for this to count: the group does not
    /// hear a signal that arrives when the executor is blocked already, and so this does not
    /// either; the third signal ends the process.
    ///
    /// # Errors
    ///
    /// If the thread cannot be started.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.handle().watchdog()?;
    /// group.add("server", async |_| {});
    /// future::block_on(group.run())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn watchdog(&self) -> io::Result<()> {
        watchdog::start(&self.core)
    }
}

impl Clone for Handle<'_> {
    fn clone(&self) -> Self {
        Handle::new(&self.core, &self.spawner)
    }
}

impl fmt::Debug for Handle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("cause", &self.cause())
            .finish_non_exhaustive()
    }
}
