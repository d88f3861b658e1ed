//! How one service of a group ended.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::members::core::Member;
use crate::service::exit::Exit;
use crate::service::lifecycle::{Flag, Phase};
use crate::stop::force::{Elapsed, Force};

/// The end of one service: how, and when.
///
/// All times are counted from the start of the group, as are those of the [`Outcome`](crate::Outcome)
/// and of the log. `{}` is one line, to which `{:#}` adds the causes of an error.
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::{Exit, Group};
///
/// let mut group = Group::new();
/// group.add("greeter", async |_| {});
/// let outcome = future::block_on(group.run())?;
///
/// let report = outcome.reports().next().unwrap();
/// assert_eq!(report.name(), "greeter");
/// assert!(matches!(report.exit(), Exit::Finished));
/// assert!(report.started() <= report.ended());
/// assert!(report.location().file().ends_with(".rs"));
/// # Ok::<(), neap::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct ServiceReport<'o> {
    member: &'o Member,
    exit: &'o Exit,

    /// What was left of it, if it is a group that was abandoned.
    within: &'o [String],

    /// What had it cancelled, if it is a straggler.
    force: Option<&'o Force>,

    /// When the group started, by its own clock.
    origin: u64,
}

impl<'o> ServiceReport<'o> {
    pub(super) fn new(
        member: &'o Member,
        exit: &'o Exit,
        within: &'o [String],
        force: Option<&'o Force>,
        origin: u64,
    ) -> ServiceReport<'o> {
        ServiceReport {
            member,
            exit,
            within,
            force,
            origin,
        }
    }

    /// Returns the name that the service was added under.
    pub fn name(&self) -> &'o str {
        self.member.name()
    }

    /// Returns the place in the source where it was added.
    pub fn location(&self) -> &'static Location<'static> {
        self.member.data.location()
    }

    /// Returns how it ended: by its first failure, if it had several.
    pub fn exit(&self) -> &'o Exit {
        self.exit
    }

    /// Returns the names of the services that were still there of a nested group that was
    /// abandoned; of one nested within that, `service/name`.
    pub fn left_within(&self) -> &'o [String] {
        self.within
    }

    /// Returns when it was first polled; `None` if it never was.
    pub fn started(&self) -> Option<Duration> {
        self.since_start(self.member.data.started())
    }

    /// Returns when it was told to stop; `None` if it ended before that, or never started.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("job", async |_| {});
    /// let outcome = future::block_on(group.run())?;
    /// assert_eq!(outcome.reports().next().unwrap().stopped(), None, "it ended by itself");
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn stopped(&self) -> Option<Duration> {
        self.since_start(self.if_started(self.member.data.stopped()))
    }

    /// Returns when it and its children had ended; `None` if it was abandoned, or never started.
    pub fn ended(&self) -> Option<Duration> {
        self.since_start(self.if_started(self.member.data.ended()))
    }

    /// Returns how long it took to end after it had been told to stop.
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
    /// assert_eq!(outcome.reports().next().unwrap().drained(), Some(Duration::from_secs(3)));
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn drained(&self) -> Option<Duration> {
        Some(self.ended()?.saturating_sub(self.stopped()?))
    }

    /// Returns true if it did not end before its deadline or a second signal, and was cancelled or
    /// abandoned for that.
    pub fn is_straggler(&self) -> bool {
        self.member.data.lifecycle().has(Flag::Straggler)
    }

    /// Returns what had it cancelled; `None` unless it is a [straggler](ServiceReport::is_straggler).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use futures_lite::future;
    /// use neap::{Force, Group};
    ///
    /// let mut group = Group::new();
    /// let timeout = Duration::from_millis(1);
    /// group.add("deaf", |_| future::pending::<()>()).drain_timeout(timeout);
    /// group.race("timer", async { Err("the time is over") });
    /// let error = future::block_on(group.run()).unwrap_err();
    /// let deaf = error.outcome().unwrap().reports().next().unwrap();
    /// assert_eq!(deaf.forced_by(), Some(&Force::Timeout(timeout)));
    /// ```
    pub fn forced_by(&self) -> Option<&'o Force> {
        self.force
    }

    /// Returns true if it was abandoned: it blocked its thread past the cancel timeout, or had no turn
    /// as another did, and may still run. Its [exit](ServiceReport::exit) is its first failure all the
    /// same, if it had one.
    pub fn is_abandoned(&self) -> bool {
        self.member.data.lifecycle().phase() == Phase::Abandoned
    }

    /// Writes what ended the straggler, where it was added, and what was left within it.
    fn fmt_straggler(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_abandoned() && self.exit.is_failure() {
            f.write_str("abandoned ")?;
        }
        f.write_str("straggler")?;
        if let Some(force) = self.force {
            write!(f, ", forced by {force}")?;
        }
        write!(f, ", added at {}", self.location())?;
        for (index, name) in self.within.iter().enumerate() {
            let before = if index == 0 { "; still there:" } else { "," };
            write!(f, "{before} `{name}`")?;
        }
        Ok(())
    }

    fn if_started(&self, at: Option<u64>) -> Option<u64> {
        at.filter(|_| self.member.data.started().is_some())
    }

    fn since_start(&self, at: Option<u64>) -> Option<Duration> {
        at.map(|at| Duration::from_nanos(at.saturating_sub(self.origin)))
    }
}

impl fmt::Display for ServiceReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match f.alternate() {
            true => write!(f, "`{}` {:#}", self.name(), self.exit)?,
            false => write!(f, "`{}` {}", self.name(), self.exit)?,
        }
        let ended = self.ended();
        if let Some(ended) = ended {
            write!(f, " (after {}", Elapsed(ended))?;
        }
        if let Some(drained) = self.drained() {
            write!(f, ", {} after its stop", Elapsed(drained))?;
        }
        if self.is_straggler() {
            f.write_str(if ended.is_some() { "; " } else { " (" })?;
            self.fmt_straggler(f)?;
        }
        if ended.is_some() || self.is_straggler() {
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ServiceReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceReport")
            .field("name", &self.name())
            .field("exit", &self.exit)
            .field("started", &self.started())
            .field("stopped", &self.stopped())
            .field("ended", &self.ended())
            .field("straggler", &self.is_straggler())
            .finish()
    }
}
