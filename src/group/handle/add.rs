//! Adding to a group that may run already.

use std::borrow::Cow;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use super::Handle;
use crate::group::refused::Refused;
use crate::group::scope::Scope;
use crate::members::service_task::ServiceTask;
use crate::members::steps::WhenFull;
use crate::service::id::ServiceId;
use crate::service::options::ServiceOptions;
use crate::service::result::ServiceResult;

impl<'a> Handle<'a> {
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
    /// group.add("first", async move |_| {
    ///     handle.add("second", async |_| { println!("added by the first") }).unwrap();
    ///
    ///     handle.stop();
    ///     let refused = handle.add("third", async |_| {}).unwrap_err();
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
        S: FnOnce(Scope<'a>) -> F + Send + 'a, // borrows? write async move
        F: Future + Send + 'a,                 // borrows? write async move
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
    /// group.add("first", async move |_| {
    ///     let refused = handle.try_add("second", async |_| {}).unwrap_err();
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
        S: FnOnce(Scope<'a>) -> F + Send + 'a, // borrows? write async move
        F: Future + Send + 'a,                 // borrows? write async move
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
    /// group.add("server", async move |scope| {
    ///     let options = ServiceOptions::new().on_exit(OnExit::Stop);
    ///     handle.add_with("job", options, async |_| {}).unwrap();
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
        S: FnOnce(Scope<'a>) -> F + Send + 'a, // borrows? write async move
        F: Future + Send + 'a,                 // borrows? write async move
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
