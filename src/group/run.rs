//! The future of a group that runs.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::executor::counted::Counted;
use crate::executor::driver::Driver;
use crate::executor::kind::{BoxedFuture, Shared, TaskKind};
use crate::executor::spawned::Spawn;
use crate::members::core::Core;
use crate::outcome::Outcome;
use crate::outcome::error::Error;

/// The future of a supervisor, boxed.
pub(super) type BoxedSupervisor<'a, K> = BoxedFuture<'a, K, Result<Outcome, Error>>;

/// The future of [`Group::run`](super::Group::run).
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::{Group, Run};
///
/// let mut group = Group::new();
/// group.add("greeter", async |_| {});
/// let run: Run<'_> = group.run();
/// assert_eq!(future::block_on(run)?.reports().len(), 1);
/// # Ok::<(), neap::Error>(())
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct Run<'a, K: TaskKind = Shared> {
    /// Dropped before the tasks, as in the group.
    supervisor: BoxedSupervisor<'a, K>,
    driver: Driver<'a, K, Core>,

    /// Dropped last. `None` if the group goes by the real time.
    counted: Option<Counted>,
}

impl<'a, K: TaskKind> Run<'a, K> {
    pub(super) fn new(
        supervisor: BoxedSupervisor<'a, K>,
        driver: Driver<'a, K, Core>,
        counted: Option<Counted>,
    ) -> Run<'a, K> {
        Run {
            supervisor,
            driver,
            counted,
        }
    }

    /// Has the tasks spawned by [`poll_on`](Run::poll_on).
    pub(super) fn move_to_executor(&mut self) {
        self.driver.move_to_executor();
    }

    /// Polls the group, and spawns its tasks with this function.
    pub(super) fn poll_on(
        &mut self,
        spawn: &Spawn<'_, 'a, K>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Outcome, Error>> {
        let supervisor = Pin::new(&mut self.supervisor);
        let driver = &mut self.driver;
        match &self.counted {
            None => driver.poll_on(spawn, supervisor, cx),
            Some(counted) => counted.poll(cx, |cx| driver.poll_on(spawn, supervisor, cx)),
        }
    }
}

impl<K: TaskKind> Future for Run<'_, K> {
    type Output = Result<Outcome, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Run {
            supervisor,
            driver,
            counted,
        } = &mut *self;
        let supervisor = Pin::new(supervisor);
        match counted {
            None => driver.poll(supervisor, cx),
            Some(counted) => counted.poll(cx, |cx| driver.poll(supervisor, cx)),
        }
    }
}

impl<K: TaskKind> fmt::Debug for Run<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").finish_non_exhaustive()
    }
}
