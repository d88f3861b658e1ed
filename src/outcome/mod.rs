//! How a group and its services are, and how they ended: plain data.

mod display;
pub(crate) mod error;
mod find;
pub(crate) mod report;
pub(crate) mod status;
mod stragglers;

use std::collections::BTreeMap;
use std::process::{ExitCode, Termination};
use std::sync::Arc;
use std::time::Duration;

use self::report::ServiceReport;
use crate::members::core::{Core, Member};
use crate::members::failures::FailedService;
use crate::members::forces::Forced;
use crate::service::exit::Exit;
use crate::service::lifecycle::{Flag, Phase};
use crate::stop::cause::Cause;
use crate::stop::force::Force;

/// How a group ended well: why it stopped, and how each service ended.
///
/// `{}` is one line for a person, `{:#}` adds a line for each service. As the value of `main` it
/// is the exit code 0. Its times, and those of its reports, are counted from the start of the group,
/// the first poll of [`Group::run`](crate::Group::run), as are those of the log.
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::{Cause, Group};
///
/// let mut group = Group::new();
/// group.add("greeter", async |_| { println!("hello") });
/// let outcome = future::block_on(group.run())?;
///
/// assert_eq!(*outcome.cause(), Cause::Ended);
/// assert_eq!(outcome.to_string().split(" after ").next(), Some("ended: all services finished"));
/// # Ok::<(), neap::Error>(())
/// ```
pub struct Outcome {
    cause: Cause,

    /// The records of the services. Nothing is copied until it is asked for.
    members: Vec<Arc<Member>>,

    /// How many services are not among them.
    unreported: u64,

    /// In the order in which they came.
    failures: Vec<FailedService>,

    /// The failures of services whose failures did not stop the group, by their indices.
    ignored: BTreeMap<usize, Exit>,

    /// The index in `failures` of each failed service's first, by the index of the service.
    first: BTreeMap<usize, usize>,

    /// What was left of each abandoned service that is a group, by the index of the service.
    within: BTreeMap<usize, Vec<String>>,

    /// What had services cancelled.
    forced: Forced,

    /// When the group started, was stopped and had ended, by the clock of its core.
    origin: u64,
    stopped: u64,
    ended: u64,
}

impl Outcome {
    /// Puts the outcome together once the services change no more.
    pub(crate) fn new(
        core: &Core,
        members: Vec<Arc<Member>>,
        (failures, ignored): (Vec<FailedService>, BTreeMap<usize, Exit>),
        origin: u64,
    ) -> Outcome {
        let mut first = BTreeMap::new();
        for (index, failure) in failures.iter().enumerate() {
            first.entry(failure.index).or_insert(index);
        }
        let is_abandoned =
            |member: &&Arc<Member>| member.data.lifecycle().phase() == Phase::Abandoned;
        let abandoned = members.iter().filter(is_abandoned).map(|one| one.index());
        let within = abandoned.map(|index| (index, core.left_within(index)));
        let within = within.collect();
        let ended = core.timeline.now();
        let stopped = core.stopped_at().unwrap_or(ended);
        let cause = core.cause().unwrap_or(Cause::Ended);
        Outcome {
            cause,
            members,
            unreported: core.registry.forgotten(),
            failures,
            ignored,
            first,
            within,
            forced: core.forces.get(),
            origin,
            stopped,
            ended,
        }
    }

    /// Returns why the group stopped.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Cause, Group};
    ///
    /// let group = Group::new();
    /// group.handle().stop();
    /// let outcome = future::block_on(group.run())?;
    /// assert_eq!(*outcome.cause(), Cause::Requested);
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Returns how each service ended that has a [report](Outcome::unreported), in the order in which they were added.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("first", async |_| {});
    /// group.add("second", async |_| {});
    /// let outcome = future::block_on(group.run())?;
    /// let names: Vec<_> = outcome.reports().map(|report| report.name()).collect();
    /// assert_eq!(names, ["first", "second"]);
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn reports(&self) -> impl ExactSizeIterator<Item = ServiceReport<'_>> {
        (0..self.members.len()).map(|at| self.report(at))
    }

    /// Returns how many services have no report: those that were added by a handle and ended before
    /// the stop, well or with a failure that was [ignored](crate::OnFailure::Ignore) once they were ready.
    ///
    /// They leave nothing behind, so that a group can run for months.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("listener", async move |_| {
    ///     for _ in 0..3 {
    ///         handle.add("connection", async |_| {}).unwrap();
    ///     }
    ///     future::yield_now().await;
    /// });
    /// let outcome = future::block_on(group.run())?;
    /// assert_eq!(outcome.reports().len() as u64 + outcome.unreported(), 4);
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn unreported(&self) -> u64 {
        self.unreported
    }

    /// Returns what ended the drain of the group before all services had ended: a second signal, a
    /// request, or the drain timeout. `None` if nothing did.
    ///
    /// What ended the drain of one service is [`ServiceReport::forced_by`]: its own timeout may have
    /// been over before.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Force, Group};
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("deaf", |_| future::pending::<()>());
    /// group.add("impatient", async move |_| { handle.cancel() });
    /// let error = future::block_on(group.run()).unwrap_err();
    /// assert_eq!(error.outcome().unwrap().forced_by(), Some(&Force::Request));
    /// ```
    pub fn forced_by(&self) -> Option<&Force> {
        self.forced.group.as_ref().map(|(force, _)| force)
    }

    /// Returns for how long a service had been draining when the drain of the group was ended.
    fn drained_until_forced(&self, report: &ServiceReport<'_>) -> Duration {
        let at = self
            .forced
            .group
            .as_ref()
            .map_or(self.stopped, |(_, at)| *at);
        let at = Duration::from_nanos(at.saturating_sub(self.origin));
        at.saturating_sub(report.stopped().unwrap_or(at))
    }

    /// Returns the report of the service at this place among those that have one.
    fn report(&self, at: usize) -> ServiceReport<'_> {
        let member = &*self.members[at];
        let first = self.first.get(&member.index());
        let failure = first.map(|&first| &self.failures[first].exit);
        let failure = failure.or_else(|| self.ignored.get(&member.index()));
        let exit = failure.unwrap_or_else(|| match member.data.exit() {
            Exit::Stopped if self.forced.is_alone(member.index()) => &Exit::Cancelled,
            exit => exit,
        });
        let within = self.within.get(&member.index());
        let within = within.map_or(&[][..], Vec::as_slice);
        let is_straggler = member.data.lifecycle().has(Flag::Straggler);
        let is_forced = is_straggler || matches!(exit, Exit::Cancelled);
        let force = is_forced.then(|| self.forced.of(member.index()));
        let force = force.flatten();
        ServiceReport::new(member, exit, within, force, self.origin)
    }

    /// Returns the report of a service that has failed, all of which have one.
    fn report_of(&self, index: usize) -> Option<ServiceReport<'_>> {
        let at = self.members.binary_search_by_key(&index, |one| one.index());
        at.ok().map(|at| self.report(at))
    }

    /// Returns the services that failed or panicked, the first failure first.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("good", async |_| {});
    /// group.add("bad", async |_| { Err("xxx") });
    /// let error = future::block_on(group.run()).unwrap_err();
    /// let failures = error.outcome().unwrap().failures();
    /// assert_eq!(failures.map(|report| report.name()).collect::<Vec<_>>(), ["bad"]);
    /// ```
    pub fn failures(&self) -> impl Iterator<Item = ServiceReport<'_>> {
        self.failures_where(true)
            .filter_map(|failure| self.report_of(failure.index))
    }

    /// Returns the failures, in order, of services that had failed before: one with children can
    /// fail more than once.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("db", async move |scope| {
    ///     scope.spawn(async { Err::<(), _>("a child") });
    ///     scope.stopped().await;
    ///     Err("its parent")
    /// });
    /// let error = future::block_on(group.run()).unwrap_err();
    /// let (report, exit) = error.outcome().unwrap().later_failures().next().unwrap();
    /// assert_eq!(report.exit().to_string(), "failed: a child");
    /// assert_eq!(exit.to_string(), "failed: its parent");
    /// ```
    pub fn later_failures(&self) -> impl Iterator<Item = (ServiceReport<'_>, &Exit)> {
        self.failures_where(false)
            .filter_map(|failure| Some((self.report_of(failure.index)?, &failure.exit)))
    }

    /// Returns the services that failed and were added with [`OnFailure::Ignore`](crate::OnFailure),
    /// in the order in which they were added. Those that a handle added are
    /// [unreported](Outcome::unreported), if they were ready.
    pub fn ignored_failures(&self) -> impl Iterator<Item = ServiceReport<'_>> {
        let failed_as_well = |index: &&usize| !self.first.contains_key(index);
        let ignored = self.ignored.keys().filter(failed_as_well);
        ignored.filter_map(|&index| self.report_of(index))
    }

    pub(crate) fn has_failures(&self) -> bool {
        !self.failures.is_empty()
    }

    pub(crate) fn has_stragglers(&self) -> bool {
        let is_straggler = |member: &Arc<Member>| member.data.lifecycle().has(Flag::Straggler);
        self.members.iter().any(is_straggler)
    }

    /// Returns the failures that are the first of their service, or those that are not.
    fn failures_where(&self, first: bool) -> impl Iterator<Item = &FailedService> {
        let is_first = move |(index, failure): &(usize, &FailedService)| {
            (self.first.get(&failure.index) == Some(index)) == first
        };
        self.failures
            .iter()
            .enumerate()
            .filter(is_first)
            .map(|(_, failure)| failure)
    }

    /// Returns the services that did not end before their deadline or a second signal.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("deaf", |_| future::pending::<()>());
    /// group.add("impatient", async move |_| { handle.cancel() });
    /// let error = future::block_on(group.run()).unwrap_err();
    /// let stragglers = error.outcome().unwrap().stragglers();
    /// assert_eq!(stragglers.map(|report| report.name()).collect::<Vec<_>>(), ["deaf"]);
    /// ```
    pub fn stragglers(&self) -> impl Iterator<Item = ServiceReport<'_>> {
        self.reports().filter(ServiceReport::is_straggler)
    }

    /// Returns how long the group ran before it was stopped.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use futures_lite::future;
    /// use neap::{Group, test::Clock};
    ///
    /// let clock = Clock::new();
    /// let mut group = Group::new().clock(&clock);
    /// group.add("job", async |_| { clock.advance(Duration::from_secs(7)).await });
    /// let outcome = future::block_on(group.run())?;
    /// assert_eq!(outcome.stopped(), Duration::from_secs(7));
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn stopped(&self) -> Duration {
        Duration::from_nanos(self.stopped.saturating_sub(self.origin))
    }

    /// Returns how long it took from the stop until every service had ended.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use futures_lite::future;
    /// use neap::{Group, test::Clock};
    ///
    /// let clock = Clock::new();
    /// let mut group = Group::new().clock(&clock);
    /// let (handle, hand) = (group.handle(), clock.clone());
    /// group.add("server", async move |scope| {
    ///     handle.stop();
    ///     scope.stopped().await;
    ///     hand.advance(Duration::from_secs(3)).await;
    /// });
    /// let outcome = future::block_on(group.run())?;
    /// assert_eq!(outcome.drained(), Duration::from_secs(3));
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn drained(&self) -> Duration {
        Duration::from_nanos(self.ended.saturating_sub(self.stopped))
    }
}

impl From<&Outcome> for ExitCode {
    fn from(_: &Outcome) -> ExitCode {
        ExitCode::SUCCESS
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(&outcome)
    }
}

impl Termination for Outcome {
    fn report(self) -> ExitCode {
        self.into()
    }
}
