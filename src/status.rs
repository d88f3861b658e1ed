//! How the services of a running group are.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::ServiceId;
use crate::hub::Hub;
use crate::member::Member;

/// How far a service is.
///
/// # Examples
///
/// ```
/// assert_eq!(format!("{:>10}", neap::State::Ready), "     ready");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// It has not started: the group has not, or it waits for what it needs or for its turn.
    Waiting,

    /// It has started and is not ready.
    Starting,

    /// It is ready.
    Ready,

    /// It was told to stop.
    Draining,

    /// Its time was over, and it is being dropped.
    Cancelling,

    /// It has ended, and its children too.
    Ended,

    /// It blocked its thread past the cancel timeout, and nobody waits for it.
    Abandoned,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            State::Waiting => "waiting",
            State::Starting => "starting",
            State::Ready => "ready",
            State::Draining => "draining",
            State::Cancelling => "cancelling",
            State::Ended => "ended",
            State::Abandoned => "abandoned",
        })
    }
}

/// How one service was when the [`Status`] was taken.
///
/// # Examples
///
/// ```
/// use neap::Group;
///
/// let mut group = Group::new();
/// group.add("job", |_| async {});
/// let status = group.handle().status();
/// let job = &status.services()[0];
/// assert_eq!((job.name(), job.children()), ("job", 0));
/// ```
#[derive(Clone)]
pub struct ServiceStatus {
    member: Arc<Member>,
    state: State,
    lasting: Duration,
    children: usize,
}

impl ServiceStatus {
    fn new(hub: &Hub, member: &Arc<Member>, now: u64) -> ServiceStatus {
        let (state, since) = member.progress();
        let since = since.max(hub.opened_at());
        ServiceStatus {
            state,
            lasting: Duration::from_nanos(now.saturating_sub(since)),
            children: member.children() as usize,
            member: Arc::clone(member),
        }
    }

    /// What identifies the service.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let id = group.add("job", |_| async {}).id();
    /// let status = group.handle().status();
    /// let job = &status.services()[0];
    /// assert_eq!(job.id(), id);
    /// ```
    pub fn id(&self) -> ServiceId {
        ServiceId::new(&self.member.hub, self.member.index())
    }

    /// The name that the service was added under.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("job", |_| async {});
    /// let status = group.handle().status();
    /// let job = &status.services()[0];
    /// assert_eq!(job.name(), "job");
    /// ```
    pub fn name(&self) -> &str {
        self.member.name()
    }

    /// The place in the source where it was added.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("job", |_| async {});
    /// let status = group.handle().status();
    /// let job = &status.services()[0];
    /// assert!(job.location().line() > 0);
    /// ```
    pub fn location(&self) -> &'static Location<'static> {
        self.member.location()
    }

    /// How far the service was.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{Group, State};
    ///
    /// let mut group = Group::new();
    /// group.add("job", |_| async {});
    /// let status = group.handle().status();
    /// let job = &status.services()[0];
    /// assert_eq!(job.state(), State::Waiting);
    /// ```
    pub fn state(&self) -> State {
        self.state
    }

    /// For how long it had been in that state.
    ///
    /// What waits counts from the start of the group, or zero before it; what is being cancelled
    /// or was abandoned, from when it was told to stop.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("job", |_| async {});
    /// let status = group.handle().status();
    /// let job = &status.services()[0];
    /// assert_eq!(job.lasting(), Duration::ZERO);
    /// ```
    pub fn lasting(&self) -> Duration {
        self.lasting
    }

    /// How many children it had that were yet to end.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("parent", |scope| async move {
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
/// `{}` is a table, a line for each service under one of headings.
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::{Group, State};
///
/// let mut group = Group::new();
/// let handle = group.handle();
/// group.add("server", |scope| async move { scope.stopped().await; });
/// group.add("watch", |_| async move {
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
    pub(crate) fn new(hub: &Hub, members: &[Arc<Member>]) -> Status {
        let now = hub.now();
        let of = |member| ServiceStatus::new(hub, member, now);
        Status {
            services: members.iter().map(of).collect(),
        }
    }

    /// Each service, in the order in which they were added; none once the group has ended.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("job", |_| async {});
    /// let status = group.handle().status();
    /// assert_eq!(status.services().len(), 1);
    /// ```
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
