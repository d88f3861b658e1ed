//! A group whose services stay on one thread.

use std::borrow::Cow;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use futures_lite::{FutureExt, Stream, StreamExt, stream};

use super::Group;
use super::added::Added;
use super::local_scope::LocalScope;
use super::nested::Nested;
use super::scope::Scope;
use super::supervisor::Supervisor;
use crate::executor::kind::Local;
use crate::executor::spawners::Spawners;
use crate::executor::task::LocalTask;
use crate::members::service_task::ServiceTask;
use crate::service::result::ServiceResult;
use crate::service::result::sealed::Raced;
use crate::stop::cause::Cause;

/// A group whose services stay on one thread, and so need not be `Send`: they may hold an `Rc`, or a
/// socket of compio, monoio or glommio.
///
/// It is made with [`Group::local`] or [`Group::local_on`], and is otherwise a [`Group`] in all that
/// it does. Its services get a [`LocalScope`]. Its [`Handle`](crate::Handle) can go to other threads;
/// what that adds has to be `Send`.
///
/// A plain group takes no such service:
///
/// ```compile_fail,E0277
/// use std::rc::Rc;
///
/// let shared = Rc::new(1);
/// let mut group = neap::Group::new();
/// group.add("counter", async move |_| { println!("{shared}") });
/// ```
///
/// # Examples
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use futures_lite::future;
/// use neap::{Group, LocalGroup};
///
/// let count = Rc::new(Cell::new(0));
/// let mut group: LocalGroup<'_> = Group::local();
/// for _ in 0..3 {
///     let count = Rc::clone(&count);
///     group.add("counter", async move |_| count.set(count.get() + 1));
/// }
/// future::block_on(group.run())?;
/// assert_eq!(count.get(), 3);
/// # Ok::<(), neap::Error>(())
/// ```
pub type LocalGroup<'a> = Group<'a, Local>;

impl<'a> Group<'a, Local> {
    /// Makes a [`LocalGroup`] that needs no executor, as [`new`](Group::new) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let (text, mut group) = (Rc::new("shared"), Group::local());
    /// group.add("reader", async |_| assert_eq!(text.len(), 6));
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn local() -> Group<'a, Local> {
        let boxed = |supervisor: Supervisor<'a, Local>| supervisor.run().boxed_local();
        Group::with(Spawners::local(), boxed)
    }

    /// Makes a [`LocalGroup`] whose services, and their children, are each spawned as a task of this
    /// thread, as [`on`](Group::on) does.
    ///
    /// `spawn` is called on this thread alone, while the group or one of its services is being
    /// polled: what a [`Handle`](crate::Handle) adds from another thread waits for the task that
    /// awaits the group. What it returns is kept until the task has ended.
    ///
    /// This is for local executors, and for runtimes of one thread:
    /// `Group::local_on(compio::runtime::spawn)`, `Group::local_on(monoio::spawn)`,
    /// `Group::local_on(glommio::spawn_local)`. In a group stops, deadlines and handles wake tasks
    /// from other threads, which monoio allows with its feature `sync` only.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use neap::Group;
    /// use smol::LocalExecutor;
    ///
    /// let executor = Rc::new(LocalExecutor::new());
    /// let spawner = Rc::clone(&executor);
    /// let mut group = Group::local_on(move |task| spawner.spawn(task));
    /// let text = Rc::new("shared");
    /// group.add("reader", async move |_| assert_eq!(text.len(), 6));
    /// smol::block_on(executor.run(group.run()))?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn local_on<R>(spawn: impl Fn(LocalTask<'a>) -> R + 'a) -> Group<'a, Local>
    where
        R: 'static,
    {
        let boxed = |supervisor: Supervisor<'a, Local>| supervisor.run().boxed_local();
        Group::with(Spawners::local_on(spawn), boxed)
    }

    /// Adds a service, to be started by [`run`](Group::run), as to any group. It need not be `Send`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use neap::{Group, LocalScope};
    ///
    /// async fn worker(scope: LocalScope<'_>) {
    ///     let jobs = Rc::new("jobs");
    ///     scope.stopped().await;
    ///     println!("no more {jobs}");
    /// }
    ///
    /// let mut group = Group::local();
    /// group.add("worker", worker);
    /// ```
    #[track_caller]
    pub fn add<S, F>(&mut self, name: impl Into<Cow<'static, str>>, service: S) -> Added<'_>
    where
        S: FnOnce(LocalScope<'a>) -> F + 'a, // takes a Scope? add_shared, restart_local
        F: Future + 'a,                      // borrows? write async move
        F::Output: ServiceResult,
    {
        let (member, scope) = self.enter(name.into(), Location::caller());
        let scope = LocalScope::new(scope, Arc::clone(&self.spawners.own));
        let task = ServiceTask::new(Arc::clone(&member), move || service(scope));
        self.driver.add(&member, Box::pin(task));
        Added::new(&self.core, member)
    }

    /// Adds a service that is made for any group and so takes a [`Scope`]: one of
    /// [`restart`](crate::restart()), of `net` or `http`, or a [group](Group::into_service).
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut workers = Group::new();
    /// workers.add("first", async |_| {});
    ///
    /// let mut group = Group::local();
    /// group.add_shared("workers", workers.into_service());
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    #[track_caller]
    pub fn add_shared<S, F>(&mut self, name: impl Into<Cow<'static, str>>, service: S) -> Added<'_>
    where
        S: FnOnce(Scope<'a>) -> F + 'a,
        F: Future + 'a, // borrows? write async move
        F::Output: ServiceResult,
    {
        self.add(name, |scope: LocalScope<'a>| service(scope.into()))
    }

    /// Adds a plain future, which is dropped when the group stops, as to any group. It need not be
    /// `Send`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use futures_lite::future;
    /// use neap::{Group, OnExit};
    ///
    /// let (text, mut group) = (Rc::new("shared"), Group::local());
    /// group.race("for ever", async move {
    ///     future::pending::<()>().await;
    ///     drop(text);
    /// });
    /// group.add("short", async |_| {}).on_exit(OnExit::Stop);
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    #[track_caller]
    pub fn race<F>(&mut self, name: impl Into<Cow<'static, str>>, future: F) -> Added<'_>
    where
        F: Future + 'a, // borrows? write async move
        F::Output: ServiceResult,
    {
        self.add(name, |scope: LocalScope<'a>| async move {
            Raced(scope.run_until_stopped(future).await)
        })
    }

    /// Stops the group at the first item of a stream, and cancels it at the second, as any group.
    /// The stream need not be `Send`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use futures_lite::{future, stream};
    /// use neap::{Cause, Group};
    ///
    /// let cause = Rc::new(Cause::Requested);
    /// let source = stream::once(()).map(move |()| Cause::clone(&cause));
    /// let mut group = Group::local().stop_on(source);
    /// group.add("server", async |scope| { scope.stopped().await; });
    /// let outcome = future::block_on(group.run())?;
    /// assert_eq!(*outcome.cause(), Cause::Requested);
    /// # use futures_lite::StreamExt;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn stop_on<S>(mut self, source: S) -> Self
    where
        S: Stream + 'a,
        S::Item: Into<Cause>,
    {
        let causes = source.map(Into::into).boxed_local();
        self.supervisor.add_source(causes);
        self
    }

    /// Makes the group a service of another [`LocalGroup`], as any group can be one.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let (text, mut workers) = (Rc::new("shared"), Group::local());
    /// workers.add("first", async move |_| assert_eq!(text.len(), 6));
    ///
    /// let mut group = Group::local();
    /// group.add("workers", workers.into_service());
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn into_service(self) -> impl FnOnce(LocalScope<'a>) -> Nested<'a, Local> + 'a {
        |scope| {
            self.core.nest(scope.member());
            let stopped = scope.token().stopped();
            let group = self.stop_on(stream::once_future(stopped));
            let handle = group.handle();
            Nested::new(group.run(), handle, scope.into())
        }
    }
}
