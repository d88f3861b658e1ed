//! A set of services that start together and stop together, and what is handed out of it.

// Before `local`, as rustdoc shows methods in the order of these lines, and a link to `Group::add`
// leads to the first of that name.
mod shared;

mod settings;

pub(crate) mod added;
pub(crate) mod child_handle;
mod children;
mod display;
pub(crate) mod guard;
pub(crate) mod handle;
pub(crate) mod local;
pub(crate) mod local_scope;
pub(crate) mod nested;
mod progress;
pub(crate) mod refused;
pub(crate) mod run;
mod run_on;
pub(crate) mod scope;
pub(crate) mod scope_stopped;
mod supervisor;
pub(crate) mod watchdog;

use std::borrow::Cow;
use std::panic::Location;
use std::sync::Arc;

use self::handle::Handle;
use self::run::{BoxedSupervisor, Run};
use self::scope::Scope;
use self::supervisor::Supervisor;
use crate::executor::counted::Counted;
use crate::executor::driver::Driver;
use crate::executor::kind::{Shared, TaskKind};
use crate::executor::spawners::Spawners;
use crate::members::core::{Core, Member};

/// The services of a program: started together, stopped together, joined.
///
/// A group is made, filled with [`add`](Group::add) and [`race`](Group::race), told what stops it
/// with [`stop_on`](Group::stop_on), and run. It stops at the first of: an item from a source of
/// stops, a [`Handle::stop`], a failure or panic of a service that was not added with
/// [`OnFailure::Ignore`](crate::OnFailure::Ignore), a good end of a service added with
/// [`OnExit::Stop`](crate::OnExit::Stop). It also ends when all services have ended.
///
/// From the stop on it goes through four steps. Services are told to **stop**; they **drain**,
/// which is to finish what is in flight, until their deadline; those that have not ended by then
/// are **cancelled**, that is, dropped; and all are **joined**: when [`run`](Group::run) returns,
/// each has returned, or has been dropped, or is named in the outcome as abandoned.
///
/// `'a` is what the services may borrow. A group that runs in place can borrow from the stack of
/// the task that awaits it. The services may go to other threads, unless the group is a
/// [`LocalGroup`](crate::LocalGroup).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use futures_lite::future;
/// use neap::{Cause, Group};
///
/// let mut group = Group::new()
///     .drain_timeout(Duration::from_secs(10))
///     .cancel_timeout(Duration::from_secs(2));
/// let handle = group.handle();
/// group.add("server", async move |scope| {
///     scope.stopped().await; // a real one would serve until then, and drain after
/// });
/// group.race("timer", async move {
///     async_io::Timer::after(Duration::from_millis(1)).await;
///     handle.stop();
/// });
///
/// let outcome = future::block_on(group.run())?;
/// assert_eq!(*outcome.cause(), Cause::Requested);
/// # Ok::<(), neap::Error>(())
/// ```
#[must_use = "a group does nothing unless it is run"]
pub struct Group<'a, K: TaskKind = Shared> {
    core: Arc<Core>,
    spawners: Spawners<'a, K>,

    /// Boxes the future of the supervisor, for other threads or not.
    supervise: fn(Supervisor<'a, K>) -> BoxedSupervisor<'a, K>,

    /// Dropped before the tasks: it latches the stop, which they then find.
    supervisor: Supervisor<'a, K>,

    /// The tasks of the services.
    driver: Driver<'a, K, Core>,
}

impl<'a, K: TaskKind> Group<'a, K> {
    fn with(
        spawners: Spawners<'a, K>,
        supervise: fn(Supervisor<'a, K>) -> BoxedSupervisor<'a, K>,
    ) -> Group<'a, K> {
        let core = Core::new(spawners.scheduler());
        Group {
            driver: Driver::new(&core, &spawners),
            supervise,
            supervisor: Supervisor::new(Arc::clone(&core)),
            core,
            spawners,
        }
    }

    /// Takes in a service by name; returns the record of it and its scope.
    fn enter(
        &self,
        name: Cow<'static, str>,
        location: &'static Location<'static>,
    ) -> (Arc<Member>, Scope<'a>) {
        let member = self.core.add(name, location);
        let scope = Scope::new(Arc::clone(&member), Arc::clone(&self.spawners.shared));
        (member, scope)
    }

    /// Returns a handle, to stop, watch and extend the group from elsewhere.
    pub fn handle(&self) -> Handle<'a> {
        Handle::new(&self.core, &self.spawners.shared)
    }

    /// Starts the services, and waits until they have all ended.
    ///
    /// Nothing starts before the first poll, and nothing at all if the group was stopped before.
    /// When this returns, every service has returned, or been dropped, or is named in the outcome
    /// as abandoned; and the signals it listened for act by their default again.
    ///
    /// # Errors
    ///
    /// The first failure or panic of a service, but for those that are
    /// [ignored](crate::OnFailure::Ignore); without one, those that did not end in time. The error has the whole outcome.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels every service. In place they are gone when the drop returns;
    /// on a given executor, at their next poll, for which they are woken.
    ///
    /// # Fairness
    ///
    /// In place, services are polled in the order in which they are woken, and after 256 polls the
    /// task that awaits the group yields.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut group = neap::Group::new();
    /// group.add("first", async |_| { Err("out of work") });
    /// let error = futures_lite::future::block_on(group.run()).unwrap_err();
    /// assert_eq!(error.to_string(), "service `first` failed: out of work");
    /// ```
    pub fn run(self) -> Run<'a, K> {
        let counted = self.core.timeline.activity().map(Counted::new);
        Run::new((self.supervise)(self.supervisor), self.driver, counted)
    }
}

impl Default for Group<'_> {
    fn default() -> Self {
        Group::new()
    }
}
