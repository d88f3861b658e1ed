//! The run of a group on an executor that is borrowed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Group;
use super::run::Run;
use crate::executor::kind::{Local, TaskKind};
use crate::executor::task::{LocalTask, Task};
use crate::outcome::Outcome;
use crate::outcome::error::Error;

impl<'a> Group<'a> {
    /// Runs a group that was made with [`new`](Group::new) on an executor, as
    /// [`on`](Group::on) does, which may be a borrowed one.
    ///
    /// The function is called by the task that awaits this, and by no other. So it may borrow what
    /// lives no longer than this future, as the `&Executor<'_>` that `smol_macros` gives; and
    /// whoever else spawns a child or adds a service leaves it to that task. A group that was made
    /// with [`on`](Group::on) stays where it is, and the function is not called.
    ///
    /// With [`on`](Group::on) such an executor gives "borrowed data escapes outside of closure" (E0521).
    ///
    /// # Errors
    ///
    /// As for [`run`](Group::run).
    ///
    /// # Cancel safety
    ///
    /// As for [`run`](Group::run), on a given executor.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::Group;
    /// use smol::Executor;
    ///
    /// async fn serve(executor: &Executor<'_>) -> Result<(), neap::Error> {
    ///     let mut group = Group::new();
    ///     group.add("hello", async |_| { println!("hello") });
    ///     group.run_on(|task| executor.spawn(task)).await?;
    ///     Ok(())
    /// }
    ///
    /// let executor = Executor::new();
    /// smol::block_on(executor.run(serve(&executor)))?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn run_on<'s, R>(
        self,
        spawn: impl Fn(Task<'a>) -> R + Send + 's,
    ) -> impl Future<Output = Result<Outcome, Error>> + Send + 's
    where
        R: Send + 'static,
        'a: 's,
    {
        RunOn::new(self.run_elsewhere(), move |task: Task<'a>| {
            task.spawn(&spawn, |kept| kept)
        })
    }
}

impl<'a> Group<'a, Local> {
    /// Runs a group that was made with [`local`](Group::local) on an executor of this thread, as
    /// [`local_on`](Group::local_on) does, which may be a borrowed one.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::Group;
    /// use smol::LocalExecutor;
    ///
    /// let executor = LocalExecutor::new();
    /// let mut group = Group::local();
    /// group.add("hello", async |_| { println!("hello") });
    /// smol::block_on(executor.run(group.run_on(|task| executor.spawn(task))))?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn run_on<'s, R>(
        self,
        spawn: impl Fn(LocalTask<'a>) -> R + 's,
    ) -> impl Future<Output = Result<Outcome, Error>> + 's
    where
        R: 'static,
        'a: 's,
    {
        RunOn::new(self.run_elsewhere(), move |task: LocalTask<'a>| {
            task.spawn(&spawn, |kept| kept)
        })
    }
}

impl<'a, K: TaskKind> Group<'a, K> {
    /// Returns the future of the group, whose tasks will be spawned and are waited for by the clock.
    fn run_elsewhere(self) -> Run<'a, K> {
        let core = Arc::clone(&self.core);
        let mut run = self.run();
        run.move_to_executor();
        core.count_busy();
        run
    }
}

/// The future of a group whose tasks are spawned with a function that it has for as long as it runs.
struct RunOn<'a, K: TaskKind, S> {
    run: Run<'a, K>,
    spawn: S,
}

impl<'a, K: TaskKind, S: Fn(Task<'a, K>)> RunOn<'a, K, S> {
    fn new(run: Run<'a, K>, spawn: S) -> RunOn<'a, K, S> {
        RunOn { run, spawn }
    }
}

/// The function is not pinned.
impl<K: TaskKind, S> Unpin for RunOn<'_, K, S> {}

impl<'a, K: TaskKind, S: Fn(Task<'a, K>)> Future for RunOn<'a, K, S> {
    type Output = Result<Outcome, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let RunOn { run, spawn } = &mut *self;
        run.poll_on(spawn, cx)
    }
}
