//! What a service is handed.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::handle::Handle;
use super::scope_stopped::ScopeStopped;
use crate::executor::spawner::Spawner;
use crate::members::core::Member;
use crate::members::log;
#[cfg(feature = "http")]
use crate::members::waits::others_up;
use crate::stop::cause::Cause;
use crate::stop::run_until::run_until;
use crate::stop::token::StopToken;
#[cfg(feature = "net")]
use crate::time::time_source::TimeSource;

/// What a service is handed: its name, its stop, and a way to spawn children.
///
/// Clones are the same scope, and can be moved into children. `'a` is what the group's services
/// may borrow.
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::{Group, Scope};
///
/// async fn serve(scope: Scope<'_>) -> std::io::Result<()> {
///     println!("{} starts", scope.name());
///     while !scope.is_stopped() {
///         let job = scope.run_until_stopped(async { "a job" }).await;
///         # scope.clone(); break;
///     }
///     println!("stopped by {:?}, with time until {:?}", scope.cause(), scope.deadline());
///     Ok(())
/// }
///
/// let mut group = Group::new();
/// group.add("server", serve);
/// future::block_on(group.run())?;
/// # Ok::<(), neap::Error>(())
/// ```
pub struct Scope<'a> {
    member: Arc<Member>,

    /// Apart from the member, which is what wakers own and so cannot borrow.
    pub(super) spawner: Arc<Spawner<'a>>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(member: Arc<Member>, spawner: Arc<Spawner<'a>>) -> Scope<'a> {
        Scope { member, spawner }
    }

    pub(crate) fn member(&self) -> &Arc<Member> {
        &self.member
    }

    /// Returns the name that the service was added under.
    pub fn name(&self) -> &str {
        self.member.name()
    }

    /// Says that the service is not ready before it says so, with [`ready`](Scope::ready).
    ///
    /// To be called before the first `.await`: once its first poll has returned, a service that
    /// has not called this is ready, and this does nothing. A service that finishes is ready too,
    /// so a job that others [need](crate::Added::needs) done needs to call this only.
    ///
    /// While it is not ready, the log, and a group that [narrates](crate::Group::narrate), has a line
    /// `still starting` 5 seconds after its start, then after 10, 20, 40 seconds, and so on.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let migrations = group.add("migrations", async move |scope| {
    ///     scope.starting();
    ///     future::yield_now().await;
    ///     println!("the tables are as they should be");
    /// }).id();
    /// group.add("server", async |_| { println!("serving") }).needs(migrations);
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn starting(&self) {
        self.member.set_starting();
    }

    /// Says that the service is ready: those that need it may start. False if it was before.
    ///
    /// Call [`starting`](Scope::starting) first, or it was ready once its first poll returned.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("cache", async move |scope| {
    ///     scope.starting();
    ///     future::yield_now().await; // fill it
    ///     assert!(scope.ready());
    ///     assert!(!scope.ready(), "it was ready before");
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn ready(&self) -> bool {
        let news = self.member.set_ready();
        if !news && self.member.was_taken_for_ready() {
            log::ready_late(&self.member);
        }
        news
    }

    /// Waits until the service is told to stop, and returns why.
    ///
    /// In the service's own task this sets up nothing at all: the stop wakes that task.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped and made anew at any time: the stop is latched.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Cause, Group};
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("server", async move |scope| {
    ///     handle.stop();
    ///     assert_eq!(scope.stopped().await, Cause::Requested);
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn stopped(&self) -> ScopeStopped<'_> {
        ScopeStopped::new(&self.member)
    }

    /// Returns true once the service has been told to stop. One load.
    pub fn is_stopped(&self) -> bool {
        self.member.is_stopped()
    }

    /// Returns why the service is to stop; `None` before that.
    pub fn cause(&self) -> Option<Cause> {
        self.member.cause()
    }

    /// Returns when the service will be cancelled; `None` before the stop, or if it may take
    /// forever.
    pub fn deadline(&self) -> Option<Instant> {
        self.member.deadline()
    }

    /// Returns how much time is left until the [`deadline`](Scope::deadline); zero once it is over.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new().drain_timeout(Duration::from_secs(10));
    /// let handle = group.handle();
    /// group.add("a", async move |scope| {
    ///     assert_eq!(scope.remaining(), None);
    ///     handle.stop();
    ///     scope.stopped().await;
    ///     assert!(scope.remaining() <= Some(Duration::from_secs(10)));
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline().map(|deadline| {
            deadline.saturating_duration_since(self.member.host.timeline.now_instant())
        })
    }

    /// Returns the clock of the group, for what the service serves.
    #[cfg(feature = "net")]
    pub(crate) fn time_source(&self) -> TimeSource {
        self.member.host.timeline.source()
    }

    /// Returns a token that is stopped when the service is told to stop. It borrows nothing, so that
    /// threads and request handlers can have it.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Cause, Group};
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("server", async move |scope| {
    ///     let token = scope.token();
    ///     let thread = std::thread::spawn(move || token.wait_blocking());
    ///     handle.stop();
    ///     scope.stopped().await;
    ///     assert_eq!(thread.join().unwrap(), Cause::Requested);
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn token(&self) -> StopToken {
        self.member.token()
    }

    /// Stops the whole group; false if it was stopped before. As [`Handle::stop`] does.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Cause, Group};
    ///
    /// let mut group = Group::new();
    /// group.add("server", async move |scope| { scope.stopped().await; });
    /// group.add("operator", async move |scope| { scope.stop(); });
    /// assert_eq!(*future::block_on(group.run())?.cause(), Cause::Requested);
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn stop(&self) -> bool {
        self.stop_with(Cause::Requested)
    }

    /// Stops the whole group, and says why: in words, or with another [`Cause`].
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("disk", async move |scope| { scope.stop_with("the disk is full"); });
    /// let outcome = future::block_on(group.run())?;
    /// assert_eq!(outcome.cause().to_string(), "request (the disk is full)");
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn stop_with(&self, cause: impl Into<Cause>) -> bool {
        self.member.host.stop(cause.into())
    }

    /// Returns a handle of the group, to add to it, and to stop and watch its other services.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("main", async move |scope| {
    ///     scope.handle().add("job", async |_| {}).unwrap();
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn handle(&self) -> Handle<'a> {
        Handle::new(&self.member.host, &self.spawner)
    }

    /// Returns a token for each group around the service, from the inner to the outer, that is stopped with it.
    #[cfg(feature = "http")]
    pub(crate) fn groups(&self) -> Vec<StopToken> {
        let first = Some(Arc::clone(&self.member));
        let members = std::iter::successors(first, |member| member.host.outer_member());
        members.map(|member| member.host.token()).collect()
    }

    /// Waits until every service beside this one is ready, or has ended, in all groups around it.
    #[cfg(feature = "http")]
    pub(crate) async fn others_started(self) {
        others_up(&self.member).await;
    }

    /// Runs a future until the service is told to stop, and returns its output if it finished
    /// first.
    ///
    /// If the stop has come already, the future is dropped without a poll. After that it is polled
    /// before the stop is looked at, so that a result that is there wins a tie.
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as the future it is given.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("server", async move |scope| {
    ///     assert_eq!(scope.run_until_stopped(async { 7 }).await, Some(7));
    ///     handle.stop();
    ///     scope.stopped().await;
    ///     assert_eq!(scope.run_until_stopped(async { 7 }).await, None);
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub async fn run_until_stopped<F: Future>(&self, future: F) -> Option<F::Output> {
        if self.is_stopped() {
            return None;
        }
        run_until(future, self.stopped()).await
    }
}

impl Clone for Scope<'_> {
    fn clone(&self) -> Self {
        Scope {
            member: Arc::clone(&self.member),
            spawner: Arc::clone(&self.spawner),
        }
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("name", &self.name())
            .field("cause", &self.cause())
            .finish_non_exhaustive()
    }
}
