//! What can be different about a service, and what identifies it.

use std::sync::Arc;
use std::time::Duration;

use crate::OnExit;
use crate::hub::Hub;
use crate::member::Member;
use crate::roster::{Reason, Roster};

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

    /// The index of the service, if it is one of this group.
    pub(crate) fn index_in(self, hub: &Hub) -> Option<usize> {
        (self.group == hub.id()).then_some(self.index)
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
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Options {
    needs: Vec<ServiceId>,
    start_timeout: Option<Duration>,
    background: bool,
    on_exit: OnExit,
    drain_timeout: Option<Duration>,
}

impl Options {
    /// Nothing is different.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Group, Options};
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("operator", |_| async move {
    ///     handle.add_with("added", Options::new(), |_| async {}).unwrap();
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn new() -> Options {
        Options::default()
    }

    /// See [`Added::background`](crate::Added::background).
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Group, Options};
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("operator", |_| async move {
    ///     handle.add_with("added", Options::new().background(), |scope| async move {
    ///         scope.stopped().await;
    ///     }).unwrap();
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn background(self) -> Options {
        Options {
            background: true,
            ..self
        }
    }

    /// See [`Added::needs`](crate::Added::needs). An id that cannot be needed has the service
    /// refused.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Group, Options};
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// let db = group.add("db", |_| async {}).id();
    /// group.add("operator", |_| async move {
    ///     handle.add_with("added", Options::new().needs(db), |_| async {}).unwrap();
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn needs(mut self, id: ServiceId) -> Options {
        self.needs.push(id);
        self
    }

    /// See [`Added::start_timeout`](crate::Added::start_timeout).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use futures_lite::future;
    /// use neap::{Group, Options};
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("operator", |_| async move {
    ///     handle.add_with("added", Options::new().start_timeout(Duration::from_secs(5)), |scope| async move {
    ///         scope.ready();
    ///     }).unwrap();
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn start_timeout(self, timeout: Duration) -> Options {
        Options {
            start_timeout: Some(timeout),
            ..self
        }
    }

    /// See [`Added::on_exit`](crate::Added::on_exit).
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Group, OnExit, Options};
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("operator", |_| async move {
    ///     handle.add_with("added", Options::new().on_exit(OnExit::Stop), |_| async {}).unwrap();
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn on_exit(self, on_exit: OnExit) -> Options {
        Options { on_exit, ..self }
    }

    /// See [`Added::drain_timeout`](crate::Added::drain_timeout).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use futures_lite::future;
    /// use neap::{Group, Options};
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("operator", |_| async move {
    ///     handle.add_with("added", Options::new().drain_timeout(Duration::from_secs(5)), |_| async {}).unwrap();
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn drain_timeout(self, timeout: Duration) -> Options {
        Options {
            drain_timeout: Some(timeout),
            ..self
        }
    }

    /// Whether all that is needed can be.
    pub(crate) fn check(&self, hub: &Hub) -> Result<(), Reason> {
        match self.needs.iter().all(|id| id.index_in(hub).is_some()) {
            true => Ok(()),
            false => Err(Reason::Foreign),
        }
    }

    /// Ties a service that has not started to those it needs.
    pub(crate) fn tie(&self, hub: &Hub, roster: &Roster, member: &Arc<Member>) {
        for &id in &self.needs {
            // An error is a stop that came meanwhile and emptied the roster: nothing starts.
            if let Ok(needed) = roster.needed(hub, member.index(), id) {
                hub.plan.need(member, &needed);
            }
        }
        if let Some(timeout) = self.start_timeout {
            hub.plan.set_start_timeout(member, timeout);
        }
    }

    /// Sets what a service has itself, before anybody else sees it.
    pub(crate) fn apply(&self, member: &Member) {
        member.set_on_exit(self.on_exit);
        if let Some(timeout) = self.drain_timeout {
            member.set_drain_timeout(timeout);
        }
        if self.background {
            member.set_background();
        }
    }
}
