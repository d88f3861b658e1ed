//! How one service of a group ended.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::Exit;
use crate::member::Member;

/// The end of one service: how, and when.
///
/// All times are counted from the start of the group.
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::{Exit, Group};
///
/// let mut group = Group::new();
/// group.add("greeter", |_| async {});
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
pub struct Report<'o> {
    member: &'o Member,
    exit: &'o Exit,

    /// When the group started, by the clock of its hub.
    origin: u64,
}

impl<'o> Report<'o> {
    pub(crate) fn new(member: &'o Member, exit: &'o Exit, origin: u64) -> Report<'o> {
        Report {
            member,
            exit,
            origin,
        }
    }

    /// The name that the service was added under.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("job", |_| async {});
    /// let outcome = future::block_on(group.run())?;
    /// assert_eq!(outcome.reports().next().unwrap().name(), "job");
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn name(&self) -> &'o str {
        self.member.name()
    }

    /// The place in the source where it was added.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("job", |_| async {});
    /// let outcome = future::block_on(group.run())?;
    /// assert!(outcome.reports().next().unwrap().location().line() > 0);
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn location(&self) -> &'static Location<'static> {
        self.member.location()
    }

    /// How it ended. The first failure, if it had several.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Exit, Group};
    ///
    /// let mut group = Group::new();
    /// group.add("job", |_| async {});
    /// let outcome = future::block_on(group.run())?;
    /// assert!(matches!(outcome.reports().next().unwrap().exit(), Exit::Finished));
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn exit(&self) -> &'o Exit {
        self.exit
    }

    /// When it was first polled; `None` if it never was.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("job", |_| async {});
    /// group.handle().stop();
    /// let outcome = future::block_on(group.run())?;
    /// assert_eq!(outcome.reports().next().unwrap().started(), None);
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn started(&self) -> Option<Duration> {
        self.since_start(self.member.started())
    }

    /// When it was told to stop; `None` if it ended before that, or never started.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("job", |_| async {});
    /// let outcome = future::block_on(group.run())?;
    /// assert_eq!(outcome.reports().next().unwrap().stopped(), None, "it ended by itself");
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn stopped(&self) -> Option<Duration> {
        self.since_start(
            self.member
                .stopped()
                .filter(|_| self.member.started().is_some()),
        )
    }

    /// When it had ended, children and all; `None` if it was abandoned, or never started.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use futures_lite::future;
    /// use neap::{Group, test::Clock};
    ///
    /// let (clock, mut group) = (Clock::new(), Group::new());
    /// group.clock(&clock);
    /// group.add("job", |_| async { clock.advance(Duration::from_secs(7)) });
    /// let outcome = future::block_on(group.run())?;
    /// assert_eq!(outcome.reports().next().unwrap().ended(), Some(Duration::from_secs(7)));
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn ended(&self) -> Option<Duration> {
        self.since_start(
            self.member
                .ended()
                .filter(|_| self.member.started().is_some()),
        )
    }

    /// How long it took to end after it had been told to stop.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use futures_lite::future;
    /// use neap::{Group, test::Clock};
    ///
    /// let (clock, mut group) = (Clock::new(), Group::new());
    /// group.clock(&clock);
    /// let (handle, hand) = (group.handle(), clock.clone());
    /// group.add("server", |scope| async move {
    ///     handle.stop();
    ///     scope.stopped().await;
    ///     hand.advance(Duration::from_secs(3));
    /// });
    /// let outcome = future::block_on(group.run())?;
    /// assert_eq!(outcome.reports().next().unwrap().drained(), Some(Duration::from_secs(3)));
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn drained(&self) -> Option<Duration> {
        Some(self.ended()?.saturating_sub(self.stopped()?))
    }

    /// Whether it outlived its deadline, or a second signal, and was cancelled or abandoned.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Exit, Group};
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.race("timer", future::pending::<()>());
    /// group.add("server", |_| async move { handle.stop(); });
    /// let outcome = future::block_on(group.run())?;
    /// let timer = outcome.reports().next().unwrap();
    /// assert!(matches!(timer.exit(), Exit::Cancelled));
    /// assert!(!timer.is_straggler(), "a race has no time to drain");
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn is_straggler(&self) -> bool {
        self.member.is_straggler()
    }

    fn since_start(&self, at: Option<u64>) -> Option<Duration> {
        at.map(|at| Duration::from_nanos(at.saturating_sub(self.origin)))
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.name(), self.exit)?;
        if let Some(ended) = self.ended() {
            write!(f, " after {ended:.1?}")?;
        }
        if let Some(drained) = self.drained() {
            write!(f, ", {drained:.1?} after the stop")?;
        }
        if self.is_straggler() {
            write!(f, " (straggler, added at {})", self.location())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("name", &self.name())
            .field("exit", &self.exit)
            .field("started", &self.started())
            .field("stopped", &self.stopped())
            .field("ended", &self.ended())
            .field("straggler", &self.is_straggler())
            .finish()
    }
}
