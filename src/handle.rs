//! A group, seen from elsewhere while it runs.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use crate::executor::Place;
use crate::hub::Hub;
use crate::lifecycle::Life;
use crate::member::Member;
use crate::notices::Notice;
use crate::roster::Roster;
use crate::{Cause, Options, Refused, Scope, ServiceId, ServiceResult, Status, StopToken};

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
/// let outcome = running.join().unwrap()?;
/// assert_eq!(*outcome.cause(), Cause::Requested);
/// # Ok::<(), neap::Error>(())
/// ```
pub struct Handle<'a> {
    pub(crate) hub: Arc<Hub>,
    pub(crate) roster: Arc<Roster>,
    place: Arc<Place<'a>>,
}

impl<'a> Handle<'a> {
    pub(crate) fn new(hub: &Arc<Hub>, roster: &Arc<Roster>, place: &Arc<Place<'a>>) -> Handle<'a> {
        Handle {
            hub: Arc::clone(hub),
            roster: Arc::clone(roster),
            place: Arc::clone(place),
        }
    }

    /// Stops the group; false if it was stopped before, in which case this does nothing.
    ///
    /// A stop before [`run`](crate::Group::run) is remembered: nothing will start.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::Group;
    ///
    /// let group = Group::new();
    /// let handle = group.handle();
    /// assert!(handle.stop());
    /// assert!(!handle.stop(), "once is enough");
    /// ```
    pub fn stop(&self) -> bool {
        self.hub.stop(Cause::Requested)
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
        self.hub.stop(Cause::Requested);
        self.hub.notices.send(Notice::Cancel);
    }

    /// Stops one service, and leaves the group running; false if it has been told before, has
    /// ended, or is of another group.
    ///
    /// It drains as it would with the group, within its own timeout or else the group's, and is
    /// cancelled and a straggler after that. Those that [need](crate::Added::needs) it, directly or
    /// not, are stopped before it. Ending so is no failure, and stops nobody else. The cause that
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
        let members = self.roster.snapshot();
        let member = id.index_in(&self.hub).and_then(|index| members.get(index));
        member.is_some_and(|member| self.hub.plan.stop_one(member))
    }

    /// How each service is at this moment.
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
        Status::new(&self.hub, &self.roster.snapshot())
    }

    /// Whether the group has been stopped. One load.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let group = Group::new();
    /// let handle = group.handle();
    /// assert!(!handle.is_stopped());
    /// future::block_on(group.run())?;
    /// assert!(handle.is_stopped());
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn is_stopped(&self) -> bool {
        self.hub.is_stopped()
    }

    /// Why the group was stopped; `None` while it is not.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{Cause, Group};
    ///
    /// let group = Group::new();
    /// let handle = group.handle();
    /// handle.stop();
    /// assert_eq!(handle.cause(), Some(Cause::Requested));
    /// ```
    pub fn cause(&self) -> Option<Cause> {
        self.hub.cause()
    }

    /// A token that is stopped when the group is.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::Group;
    ///
    /// let group = Group::new();
    /// let token = group.handle().token();
    /// group.handle().stop();
    /// assert!(token.is_stopped());
    /// ```
    pub fn token(&self) -> StopToken {
        self.hub.token()
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
        self.add_as(name.into(), &Options::new(), true, service)
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
        self.add_as(name.into(), &Options::new(), false, service)
    }

    /// Adds a service as [`add`](Handle::add) does, with options.
    ///
    /// # Errors
    ///
    /// Once the group has been stopped, or has ended, the service comes back; and also if it
    /// [needs](Options::needs) one of another group.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Cause, Group, OnExit, Options};
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("server", |scope| async move {
    ///     let options = Options::new().on_exit(OnExit::Stop);
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
        options: Options,
        service: S,
    ) -> Result<ServiceId, Refused<S>>
    where
        S: FnOnce(Scope<'a>) -> F + Send + 'a,
        F: Future + Send + 'a,
        F::Output: ServiceResult,
    {
        self.add_as(name.into(), &options, true, service)
    }

    #[track_caller]
    fn add_as<S, F>(
        &self,
        name: Cow<'static, str>,
        options: &Options,
        patience: bool,
        service: S,
    ) -> Result<ServiceId, Refused<S>>
    where
        S: FnOnce(Scope<'a>) -> F + Send + 'a,
        F: Future + Send + 'a,
        F::Output: ServiceResult,
    {
        let location = Location::caller();
        let make = |index| {
            let member = Member::named(&self.hub, index, name.clone(), location);
            options.apply(&member);
            member
        };
        let checked = options.check(&self.hub);
        let member = match checked.and_then(|()| self.roster.admit(&self.hub, patience, make)) {
            Ok(member) => member,
            Err(reason) => {
                return Err(Refused::new(name, reason, service));
            }
        };
        options.tie(&self.hub, &self.roster, &member);
        self.hub.plan.admit(&member);
        let scope = Scope::new(Arc::clone(&member), Arc::clone(&self.place));
        let id = ServiceId::new(&self.hub, member.index());
        self.place
            .spawn(member, Box::pin(Life::new(service, scope)));
        Ok(id)
    }
}

impl Clone for Handle<'_> {
    fn clone(&self) -> Self {
        Handle::new(&self.hub, &self.roster, &self.place)
    }
}

impl fmt::Debug for Handle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("cause", &self.cause())
            .finish_non_exhaustive()
    }
}
