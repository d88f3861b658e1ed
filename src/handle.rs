//! A group, seen from elsewhere while it runs.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use crate::executor::Place;
use crate::hub::{Hub, Notice, Roster};
use crate::lifecycle::Life;
use crate::member::Member;
use crate::{Cause, Options, Scope, ServiceId, ServiceResult, StopToken};

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
    hub: Arc<Hub>,
    roster: Arc<Roster>,
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
        self.hub.notify(Notice::Cancel);
    }

    /// Whether the group has been stopped. One load.
    pub fn is_stopped(&self) -> bool {
        self.hub.is_stopped()
    }

    /// Why the group was stopped; `None` while it is not.
    pub fn cause(&self) -> Option<Cause> {
        self.hub.cause()
    }

    /// A token that is stopped when the group is.
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
        self.add_with(name, Options::new(), service)
    }

    /// Adds a service as [`add`](Handle::add) does, with options.
    ///
    /// # Errors
    ///
    /// Once the group has been stopped, or has ended, the service comes back.
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
        let (name, location) = (name.into(), Location::caller());
        let admitted = self.roster.admit(&self.hub, |index| {
            let member = Member::named(&self.hub, index, name.clone(), location);
            options.apply(&member);
            member
        });
        let Some(member) = admitted else {
            return Err(Refused { name, service });
        };
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

/// The error of [`Handle::add`]: the group takes no more services, and this one comes back.
pub struct Refused<S> {
    name: Cow<'static, str>,
    service: S,
}

impl<S> Refused<S> {
    /// The service that was refused.
    pub fn into_service(self) -> S {
        self.service
    }
}

impl<S> fmt::Display for Refused<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "service `{}` was refused: the group has been stopped",
            self.name
        )
    }
}

impl<S> fmt::Debug for Refused<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<S> std::error::Error for Refused<S> {}
