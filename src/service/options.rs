//! What can be set for a service that is added by a handle.

use std::time::Duration;

use super::id::ServiceId;
use super::result::{OnExit, OnFailure};

/// What is set for a service that is added with [`Handle::add_with`](crate::Handle::add_with).
///
/// Each setter does what that of the same name does on [`Added`](crate::Added).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use futures_lite::future;
/// use neap::{Group, OnExit, ServiceOptions};
///
/// let mut group = Group::new();
/// let handle = group.handle();
/// let db = group.add("db", async move |scope| { scope.stopped().await; }).id();
/// group.add("operator", async move |_| {
///     let options = ServiceOptions::new()
///         .needs(db)
///         .start_timeout(Duration::from_secs(5))
///         .drain_timeout(Duration::from_secs(1))
///         .on_exit(OnExit::Stop);
///     handle.add_with("import", options, async move |scope| { scope.ready(); }).unwrap();
///
///     let options = ServiceOptions::new().background();
///     handle.add_with("metrics", options, async move |scope| {
///         scope.stopped().await;
///     }).unwrap();
/// });
/// future::block_on(group.run())?;
/// # Ok::<(), neap::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ServiceOptions {
    pub(crate) needs: Vec<ServiceId>,
    pub(crate) start_timeout: Option<Duration>,
    pub(crate) background: bool,
    pub(crate) on_exit: OnExit,
    pub(crate) on_failure: OnFailure,
    pub(crate) drain_timeout: Option<Duration>,
}

impl ServiceOptions {
    /// Makes options that set nothing.
    pub fn new() -> ServiceOptions {
        ServiceOptions::default()
    }

    /// Does not let the service keep the group alive; see
    /// [`Added::background`](crate::Added::background).
    pub fn background(self) -> ServiceOptions {
        ServiceOptions {
            background: true,
            ..self
        }
    }

    /// Starts the service once another is ready; see [`Added::needs`](crate::Added::needs). With
    /// an id that cannot be needed the service is refused.
    pub fn needs(mut self, id: ServiceId) -> ServiceOptions {
        self.needs.push(id);
        self
    }

    /// Sets how long the service may take until it is ready; see
    /// [`Added::start_timeout`](crate::Added::start_timeout).
    pub fn start_timeout(self, timeout: Duration) -> ServiceOptions {
        ServiceOptions {
            start_timeout: Some(timeout),
            ..self
        }
    }

    /// Sets what the service does to the group when it finishes well; see
    /// [`Added::on_exit`](crate::Added::on_exit).
    pub fn on_exit(self, on_exit: OnExit) -> ServiceOptions {
        ServiceOptions { on_exit, ..self }
    }

    /// Sets what the service does to the group when it fails; see
    /// [`Added::on_failure`](crate::Added::on_failure).
    pub fn on_failure(self, on_failure: OnFailure) -> ServiceOptions {
        ServiceOptions { on_failure, ..self }
    }

    /// Sets how long the service may take to end after the stop; see
    /// [`Added::drain_timeout`](crate::Added::drain_timeout).
    pub fn drain_timeout(self, timeout: Duration) -> ServiceOptions {
        ServiceOptions {
            drain_timeout: Some(timeout),
            ..self
        }
    }
}
