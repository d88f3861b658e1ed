//! A group whose services may go to other threads.

use std::borrow::Cow;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use futures_lite::{FutureExt, stream};

use super::Group;
use super::added::Added;
use super::nested::Nested;
use super::scope::Scope;
use crate::executor::spawners::Spawners;
use crate::executor::task::Task;
use crate::members::service_task::ServiceTask;
use crate::service::result::ServiceResult;
use crate::service::result::sealed::Raced;

impl<'a> Group<'a> {
    /// Makes a group that needs no executor: the task that awaits [`run`](Group::run) drives it.
    ///
    /// All services share that one task, and so one thread at a time. One that blocks its thread
    /// blocks them all. They start in the order in which they were added: if one fails at its first
    /// poll, and so stops the group, those after it never start.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let text = String::from("borrowed");
    /// let text = &text;
    /// let mut group = Group::new();
    /// group.add("reader", async move |_| { assert_eq!(text.len(), 8) });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn new() -> Group<'a> {
        Group::with(Spawners::in_place(), |supervisor| supervisor.run().boxed())
    }

    /// Makes a group whose services, and their children, are each spawned as a task of their own.
    ///
    /// `spawn` is called once for each: while the group is being polled, while a child is spawned, or,
    /// while nothing is being polled, in [`Handle::add`](crate::Handle::add), on the thread that adds.
    /// The task must be run to its end or dropped.
    ///
    /// What `spawn` returns, such as the handle of the task, is kept until the task has ended: so this
    /// is right for an executor that cancels a task whose handle is dropped, and for one that does not.
    /// It is kept, and not awaited: `Group::on(|task| async move { task.await })` compiles and hangs.
    ///
    /// An executor that is borrowed, as `smol_macros` gives it, is for [`run_on`](Group::run_on). Here
    /// the compiler says of it "borrowed data escapes outside of closure" (E0521), or "lifetime may not
    /// live long enough".
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
    /// group.add("hello", async move |_| { println!("hello") });
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
    /// Write it as `async move`. Without `move` it borrows what it names, and the compiler says of that
    /// that it "does not live long enough" (E0597). For what several services share, make a reference
    /// first, as in `let pool = &pool;`, or a clone of an [`Arc`] for each. What is borrowed has to be
    /// declared before the group.
    ///
    /// It ends in what [`ServiceResult`] says: `()`, or a result. After a `?` a bare `Ok(())` does not say
    /// which error it is of (E0282, E0283): end with `std::io::Result::Ok(())`, with `anyhow::Ok(())`, or,
    /// for any error, with `Ok::<_, neap::BoxError>(())`.
    ///
    /// The answer sets what is to be different about it. The name is an owned one, or `'static`: one
    /// that is borrowed "escapes" (E0521), so pass `name.to_owned()`. It is a label for logs and errors,
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
    /// group.add("import", async move |_| {
    ///     let text = std::fs::read_to_string("numbers")?;
    ///     println!("{}", text.trim().parse::<u64>()?);
    ///     Ok::<_, neap::BoxError>(())
    /// }).on_exit(OnExit::Stop);
    /// ```
    #[track_caller]
    pub fn add<S, F>(&mut self, name: impl Into<Cow<'static, str>>, service: S) -> Added<'_>
    where
        S: FnOnce(Scope<'a>) -> F + Send + 'a, // borrows? write async move; not Send? LocalGroup
        F: Future + Send + 'a,                 // borrows? write async move; not Send? LocalGroup
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
        F: Future + Send + 'a, // borrows? write async move; not Send? LocalGroup
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
