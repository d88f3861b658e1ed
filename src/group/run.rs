//! The future of a group that runs.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_lite::FutureExt;

use super::supervisor::Supervisor;
use crate::executor::counted::Counted;
use crate::executor::driver::Driver;
use crate::members::core::Core;
use crate::outcome::Outcome;
use crate::outcome::error::Error;

/// The future of [`Group::run`](super::Group::run).
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::{Group, Run};
///
/// let mut group = Group::new();
/// group.add("greeter", |_| async {});
/// let run: Run<'_> = group.run();
/// assert_eq!(future::block_on(run)?.reports().len(), 1);
/// # Ok::<(), neap::Error>(())
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct Run<'a> {
    /// Dropped before the tasks, as in the group.
    supervisor: Pin<Box<dyn Future<Output = Result<Outcome, Error>> + Send + 'a>>,
    driver: Driver<'a, Core>,

    /// Dropped last. `None` if the group goes by the real time.
    counted: Option<Counted>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        supervisor: Supervisor<'a>,
        driver: Driver<'a, Core>,
        counted: Option<Counted>,
    ) -> Run<'a> {
        Run {
            supervisor: supervisor.run().boxed(),
            driver,
            counted,
        }
    }
}

impl Future for Run<'_> {
    type Output = Result<Outcome, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let (supervisor, driver) = (this.supervisor.as_mut(), &mut this.driver);
        match &this.counted {
            None => driver.poll(supervisor, cx),
            Some(counted) => counted.poll(cx, |cx| driver.poll(supervisor, cx)),
        }
    }
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").finish_non_exhaustive()
    }
}
