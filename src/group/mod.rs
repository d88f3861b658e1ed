//! A set of services that start together and stop together, and what is handed out of it.

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
mod settings;
mod supervisor;
pub(crate) mod watchdog;

use std::borrow::Cow;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use futures_lite::{FutureExt, stream};

use self::added::Added;
use self::handle::Handle;
use self::nested::Nested;
use self::run::{BoxedSupervisor, Run};
use self::scope::Scope;
use self::supervisor::Supervisor;
use crate::executor::counted::Counted;
use crate::executor::driver::Driver;
use crate::executor::kind::{Shared, TaskKind};
use crate::executor::spawners::Spawners;
use crate::executor::task::Task;
use crate::members::core::{Core, Member};
use crate::members::service_task::ServiceTask;
use crate::service::result::ServiceResult;
use crate::service::result::sealed::Raced;

/// The services of a program: started together, stopped together, joined.
///
/// A group is made, filled with [`add`](Group::add) and [`race`](Group::race), told what stops it
/// with [`stop_on`](Group::stop_on), and run. It stops at the first of: an item from a source of
/// stops, a [`Handle::stop`], a failure or panic of a service, the end of a service added with
/// [`OnExit::Stop`](crate::OnExit::Stop). It also ends when all services have finished.
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

impl<'a> Group<'a> {
    /// Makes a group that needs no executor: the task that awaits [`run`](Group::run) drives it.
    ///
    /// All services share that one task, and so one thread at a time. One that blocks its thread
    /// blocks them all.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let (text, mut group) = (String::from("borrowed"), Group::new());
    /// group.add("reader", async |_| { assert_eq!(text.len(), 8) });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn new() -> Group<'a> {
        Group::with(Spawners::in_place(), |supervisor| supervisor.run().boxed())
    }

    /// Makes a group whose services, and their children, are each spawned as a task of their own.
    ///
    /// `spawn` is called once for each, while the group is being polled or a child is spawned. The
    /// task must be run to its end or dropped. What `spawn` returns, such as the handle of the task,
    /// is kept until the task has ended: so this is right for an executor that cancels a task whose
    /// handle is dropped, and for one that does not. An executor that is borrowed for less than `'a`
    /// is for [`run_on`](Group::run_on).
    ///
    /// # Examples
    ///
    /// On smol, on async-std, and on an executor of one's own:
    ///
    /// ```
    /// use std::sync::Arc;
    /// use neap::Group;
    ///
    /// let on_smol = Group::on(smol::spawn);
    /// let on_async_std = Group::on(async_std::task::spawn);
    ///
    /// let executor = Arc::new(async_executor::Executor::new());
    /// let spawner = executor.clone();
    /// let mut group = Group::on(move |task| spawner.spawn(task));
    /// group.add("hello", async |_| { println!("hello") });
    /// futures_lite::future::block_on(executor.run(group.run()))?;
    /// # drop((on_smol, on_async_std));
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn on<R>(spawn: impl Fn(Task<'a>) -> R + Send + Sync + 'a) -> Group<'a>
    where
        R: Send + 'static,
    {
        Group::with(Spawners::on(spawn), |supervisor| supervisor.run().boxed())
    }

    /// Adds a service, to be started by [`run`](Group::run).
    ///
    /// A service is a function from a [`Scope`] to a future. It is called at the first poll of the
    /// service's task, and not at all if the stop comes before. It is meant to end soon after
    /// [`Scope::stopped`] is ready.
    ///
    /// The answer sets what is to be different about it. The name is a label for logs and errors,
    /// not a key: two services may have the same, and their [`ServiceId`](crate::ServiceId)s and the places where
    /// they were added tell them apart.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use neap::{Group, OnExit, Scope};
    ///
    /// async fn db(scope: Scope<'_>) -> std::io::Result<()> {
    ///     scope.stopped().await;
    ///     Ok(())
    /// }
    ///
    /// let mut group = Group::new();
    /// group.add("db", db).drain_timeout(Duration::from_secs(2));
    /// group.add("metrics", async move |scope| { scope.stopped().await; }).background();
    /// group.add("import", async |_| { anyhow::Ok(()) }).on_exit(OnExit::Stop);
    /// ```
    #[track_caller]
    pub fn add<S, F>(&mut self, name: impl Into<Cow<'static, str>>, service: S) -> Added<'_>
    where
        S: FnOnce(Scope<'a>) -> F + Send + 'a, // not Send? see LocalGroup
        F: Future + Send + 'a,                 // not Send? see LocalGroup
        F::Output: ServiceResult,
    {
        let (member, scope) = self.enter(name.into(), Location::caller());
        let task = ServiceTask::new(Arc::clone(&member), move || service(scope));
        self.driver.add(&member, Box::pin(task));
        Added::new(&self.core, member)
    }

    /// Adds a plain future, which is dropped when the group stops.
    ///
    /// That counts as a good end: [`Exit::Stopped`](crate::Exit::Stopped). A result that is there
    /// when the stop comes wins.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Exit, Group, OnExit};
    ///
    /// let mut group = Group::new();
    /// group.race("for ever", future::pending::<()>());
    /// group.add("short", async |_| {}).on_exit(OnExit::Stop);
    ///
    /// let outcome = future::block_on(group.run())?;
    /// let report = outcome.reports().next().unwrap();
    /// assert!(matches!(report.exit(), Exit::Stopped) && !report.is_straggler());
    /// # Ok::<(), neap::Error>(())
    /// ```
    #[track_caller]
    pub fn race<F>(&mut self, name: impl Into<Cow<'static, str>>, future: F) -> Added<'_>
    where
        F: Future + Send + 'a, // not Send? see LocalGroup
        F::Output: ServiceResult,
    {
        self.add(name, |scope: Scope<'a>| async move {
            Raced(scope.run_until_stopped(future).await)
        })
    }

    /// Makes the group a service of another.
    ///
    /// Its stop then follows that of the service it is, and its deadline is within the other's. A
    /// nested [`Group::new`] runs in the task of that service. It is ready once all its services
    /// are. Its failure is the service's, with the whole [`Error`](crate::Error) in it.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut workers = Group::new();
    /// workers.add("first", async |_| {});
    /// workers.add("second", async |_| { Err("out of work") });
    ///
    /// let mut group = Group::new();
    /// group.add("workers", workers.into_service());
    /// let error = future::block_on(group.run()).unwrap_err();
    /// assert_eq!(error.to_string(), "service `workers` failed: service `second` failed: out of work");
    /// ```
    pub fn into_service(self) -> impl FnOnce(Scope<'a>) -> Nested<'a> + Send + 'a {
        |scope| {
            self.core.nest(scope.member());
            let stopped = scope.token().stopped();
            let group = self.stop_on(stream::once_future(stopped));
            let handle = group.handle();
            Nested::new(group.run(), handle, scope)
        }
    }
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
    /// The first failure or panic of a service; without one, those that did not end in time. The
    /// error has the whole outcome.
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
