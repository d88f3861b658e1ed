//! How the services of a running group are.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::members::core::{Core, Member};
use crate::members::registry::Registered;
use crate::service::id::ServiceId;
use crate::service::state::State;

/// How one service was when the [`Status`] was taken.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use neap::{Group, State};
///
/// let mut group = Group::new();
/// let id = group.add("job", async |_| {}).id();
/// let status = group.handle().status();
/// let job = &status.services()[0];
/// assert_eq!((job.name(), job.id()), ("job", id));
/// assert_eq!((job.state(), job.lasting()), (State::Waiting, Duration::ZERO));
/// assert!(job.location().file().ends_with(".rs"));
/// ```
#[derive(Clone)]
pub struct ServiceStatus {
    member: Arc<Member>,
    state: State,
    lasting: Duration,
    children: usize,
}

impl ServiceStatus {
    fn new(core: &Core, member: &Arc<Member>, now: u64) -> ServiceStatus {
        let (state, since) = member.progress();
        let since = since.max(core.readiness.opened_at().unwrap_or(u64::MAX));
        ServiceStatus {
            state,
            lasting: Duration::from_nanos(now.saturating_sub(since)),
            children: member.data.children.count() as usize,
            member: Arc::clone(member),
        }
    }

    /// Returns what identifies the service.
    pub fn id(&self) -> ServiceId {
        ServiceId::new(self.member.host.id, self.member.index())
    }

    /// Returns the name that the service was added under.
    pub fn name(&self) -> &str {
        self.member.name()
    }

    /// Returns the place in the source where it was added.
    pub fn location(&self) -> &'static Location<'static> {
        self.member.data.location()
    }

    /// Returns how far the service was.
    pub fn state(&self) -> State {
        self.state
    }

    /// Returns for how long it had been in that state.
    ///
    /// For a service that waits this counts from the start of the group, and is zero before it. For
    /// one that is being cancelled or was abandoned it counts from when it was told to stop.
    pub fn lasting(&self) -> Duration {
        self.lasting
    }

    /// Returns how many children it had that had not ended.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("parent", async move |scope| {
    ///     scope.spawn(async {});
    ///     assert_eq!(handle.status().services()[0].children(), 1);
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn children(&self) -> usize {
        self.children
    }
}

impl fmt::Debug for ServiceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceStatus")
            .field("name", &self.name())
            .field("state", &self.state)
            .field("lasting", &self.lasting)
            .field("children", &self.children)
            .finish()
    }
}

/// How the services of a group were at one moment: what
/// [`Handle::status`](crate::Handle::status) returns.
///
/// `{}` is a table: a line of headings, and a line for each service.
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::{Group, State};
///
/// let mut group = Group::new();
/// let handle = group.handle();
/// group.add("server", async move |scope| { scope.stopped().await; });
/// group.add("watch", async move |_| {
///     let status = handle.status();
///     assert_eq!(status.services()[0].state(), State::Ready);
///     assert_eq!(status.services()[1].state(), State::Starting);
///     println!("{status}");
///     handle.stop();
/// });
/// future::block_on(group.run())?;
/// # Ok::<(), neap::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Status {
    services: Vec<ServiceStatus>,
}

impl Status {
    pub(crate) fn new(core: &Core, members: &[Arc<Member>]) -> Status {
        let now = core.timeline.now();
        let of = |member| ServiceStatus::new(core, member, now);
        Status {
            services: members
                .iter()
                .filter(|member| !member.is_forgotten())
                .map(of)
                .collect(),
        }
    }

    /// Returns each service, in the order in which they were added; none once the group has ended.
    ///
    /// A service that was added by a handle and has ended well is not among them.
    pub fn services(&self) -> &[ServiceStatus] {
        &self.services
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.services.iter().map(|one| one.name().chars().count());
        let width = names.max().unwrap_or(0).max("service".len());
        write!(
            f,
            "{:width$}  {:10}  {:>9}  children",
            "service", "state", "for"
        )?;
        for one in &self.services {
            let (name, state, children) = (one.name(), one.state, one.children);
            let lasting = format!("{:.1?}", one.lasting);
            write!(
                f,
                "\n{name:width$}  {state:10}  {lasting:>9}  {children:>8}"
            )?;
        }
        Ok(())
    }
}
