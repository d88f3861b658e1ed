//! A group, seen from elsewhere while it runs.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::sync::Arc;

use super::refused::Refused;
use super::scope::Scope;
use super::watchdog;
use crate::executor::spawner::Spawner;
use crate::members::core::Core;
use crate::members::notices::Notice;
use crate::members::service_task::ServiceTask;
use crate::members::steps::WhenFull;
use crate::outcome::status::Status;
use crate::service::id::ServiceId;
use crate::service::options::ServiceOptions;
use crate::service::result::ServiceResult;
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
/// group.add("server", |scope| async move { scope.stopped().await; });
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

    /// Stops the group; false if it was stopped before, in which case this does nothing.
    ///
    /// A stop before [`run`](crate::Group::run) is remembered: nothing will start.
    pub fn stop(&self) -> bool {
        self.core.stop(Cause::Requested)
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
    /// group.add("impatient", |_| async move { handle.cancel() });
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
    /// It drains as it would with the group, within its own timeout or else the group's, and is
    /// cancelled and a straggler after that. Those that [need](crate::Added::needs) it, directly or
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
    /// let cache = group.add("cache", |scope| async move { scope.stopped().await; }).id();
    /// group.add("operator", |_| async move {
    ///     assert!(handle.stop_one(cache));
    ///     assert!(!handle.is_stopped());
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn stop_one(&self, id: ServiceId) -> bool {
        self.core.stop_one(id)
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
    /// group.add("job", |_| async {});
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
    /// group.add("db", |scope| async move {
    ///     scope.starting();
    ///     future::yield_now().await;
    ///     scope.ready();
    /// });
    /// group.add("announcer", |_| async move {
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
    /// group.add("server", |_| async {});
    /// future::block_on(group.run())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn watchdog(&self) -> io::Result<()> {
        watchdog::start(&self.core)
    }

    /// Adds a service to the group; if it is running, the service starts at once.
    ///
    /// # Errors
    ///
    /// Once the group has been stopped, or has ended, the service comes back.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("first", |_| async move {
    ///     handle.add("second", |_| async { println!("added by the first") }).unwrap();
    ///
    ///     handle.stop();
    ///     let refused = handle.add("third", |_| async {}).unwrap_err();
    ///     assert_eq!(refused.to_string(), "service `third` was refused: the group has been stopped");
    ///     let third = refused.into_service();
    ///     # drop(third);
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    #[track_caller]
    pub fn add<S, F>(
        &self,
        name: impl Into<Cow<'static, str>>,
        service: S,
    ) -> Result<ServiceId, Refused<S>>
    where
        S: FnOnce(Scope<'a>) -> F + Send + 'a,
        F: Future + Send + 'a,
        F::Output: ServiceResult,
    {
        self.add_as(name.into(), &ServiceOptions::new(), WhenFull::Wait, service)
    }

    /// Adds a service as [`add`](Handle::add) does, unless it would have to wait for its turn.
    ///
    /// That is in a group with a [limit](crate::Group::limit) only; before such a group runs, all
    /// turns are taken by those that were added first.
    ///
    /// # Errors
    ///
    /// If as many services run, or wait, as the group allows, or the group has been stopped or has
    /// ended, the service comes back.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new().limit(1);
    /// let handle = group.handle();
    /// group.add("first", |_| async move {
    ///     let refused = handle.try_add("second", |_| async {}).unwrap_err();
    ///     assert!(refused.is_full());
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    #[track_caller]
    pub fn try_add<S, F>(
        &self,
        name: impl Into<Cow<'static, str>>,
        service: S,
    ) -> Result<ServiceId, Refused<S>>
    where
        S: FnOnce(Scope<'a>) -> F + Send + 'a,
        F: Future + Send + 'a,
        F::Output: ServiceResult,
    {
        self.add_as(
            name.into(),
            &ServiceOptions::new(),
            WhenFull::Refuse,
            service,
        )
    }

    /// Adds a service as [`add`](Handle::add) does, with options.
    ///
    /// # Errors
    ///
    /// Once the group has been stopped, or has ended, the service comes back; and also if it
    /// [needs](ServiceOptions::needs) one of another group, or one that is being stopped.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Cause, Group, OnExit, ServiceOptions};
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("server", |scope| async move {
    ///     let options = ServiceOptions::new().on_exit(OnExit::Stop);
    ///     handle.add_with("job", options, |_| async {}).unwrap();
    ///     assert_eq!(scope.stopped().await, Cause::Finished("job".into()));
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    #[track_caller]
    pub fn add_with<S, F>(
        &self,
        name: impl Into<Cow<'static, str>>,
        options: ServiceOptions,
        service: S,
    ) -> Result<ServiceId, Refused<S>>
    where
        S: FnOnce(Scope<'a>) -> F + Send + 'a,
        F: Future + Send + 'a,
        F::Output: ServiceResult,
    {
        self.add_as(name.into(), &options, WhenFull::Wait, service)
    }

    #[track_caller]
    fn add_as<S, F>(
        &self,
        name: Cow<'static, str>,
        options: &ServiceOptions,
        when_full: WhenFull,
        service: S,
    ) -> Result<ServiceId, Refused<S>>
    where
        S: FnOnce(Scope<'a>) -> F + Send + 'a,
        F: Future + Send + 'a,
        F::Output: ServiceResult,
    {
        let admitted = self
            .core
            .admit(name.clone(), Location::caller(), options, when_full);
        let member = match admitted {
            Ok(member) => member,
            Err(reason) => return Err(Refused::new(name, reason, service)),
        };
        let id = ServiceId::new(self.core.id, member.index());
        let scope = Scope::new(Arc::clone(&member), Arc::clone(&self.spawner));
        let task = ServiceTask::new(Arc::clone(&member), move || service(scope));
        self.spawner.spawn(member, Box::pin(task));
        Ok(id)
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
