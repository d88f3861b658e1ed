//! Restart of a service that stays on one thread.

use std::future::Future;

use futures_lite::FutureExt;

use super::policy::Restart;
use super::supervise::{Restarting, supervise};
use crate::executor::kind::Local;
use crate::group::local_scope::LocalScope;
use crate::service::result::ServiceResult;

/// Makes a service of a [`LocalGroup`](crate::LocalGroup) that runs another, and runs it anew when it
/// ends, as [`restart`](crate::restart()) does. It need not be `Send`.
///
/// # Errors
///
/// [`GaveUp`](crate::GaveUp), once the policy allows no more restarts.
///
/// # Examples
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use std::time::Duration;
/// use futures_lite::future;
/// use neap::{Group, Restart, restart_local};
///
/// let policy = Restart::on_failure().backoff(Duration::ZERO, Duration::ZERO);
/// let runs = Rc::new(Cell::new(0));
/// let counted = Rc::clone(&runs);
/// let mut group = Group::local();
/// group.add("flaky", restart_local(policy, move |_| {
///     let runs = Rc::clone(&counted);
///     async move {
///         runs.set(runs.get() + 1);
///         if runs.get() < 3 { Err("connection refused") } else { Ok(()) }
///     }
/// }));
/// future::block_on(group.run())?;
/// assert_eq!(runs.get(), 3);
/// # Ok::<(), neap::Error>(())
/// ```
pub fn restart_local<'a, M, F>(
    policy: Restart,
    mut factory: M,
) -> impl FnOnce(LocalScope<'a>) -> Restarting<'a, Local> + 'a
where
    M: FnMut(LocalScope<'a>) -> F + 'a,
    F: Future + 'a,
    F::Output: ServiceResult,
{
    move |scope| {
        let local = scope.clone();
        let factory = move |_| factory(local.clone());
        Restarting(supervise(policy, factory, scope.into()).boxed_local())
    }
}
