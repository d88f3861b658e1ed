//! How a group ended: why it stopped, and what became of each of its services.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::panic::Location;
use std::process::{ExitCode, Termination};
use std::time::Duration;

#[cfg(feature = "signal")]
use async_signal::Signal;

/// Why a group, or a [`StopSource`](crate::StopSource), stopped.
///
/// The first cause wins: what comes after it changes nothing about it.
///
/// # Examples
///
/// ```
/// use neap::Cause;
///
/// assert_eq!(Cause::Failed("db".into()).to_string(), "failure of `db`");
/// # #[cfg(feature = "signal")]
/// assert_eq!(Cause::Signal(neap::signal::Signal::Term).to_string(), "SIGTERM");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The operating system sent this signal.
    #[cfg(feature = "signal")]
    Signal(Signal),

    /// Somebody asked for it, with a [`Handle`](crate::Handle) or a source.
    Requested,

    /// The service of this name returned an error.
    Failed(Cow<'static, str>),

    /// The service of this name panicked.
    Panicked(Cow<'static, str>),

    /// The service of this name finished well and was added with
    /// [`OnExit::Stop`](crate::OnExit::Stop).
    Finished(Cow<'static, str>),

    /// All services finished well; those in the background were then stopped.
    Ended,

    /// The future of [`Group::run`](crate::Group::run) was dropped.
    Dropped,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "signal")]
            Cause::Signal(signal) => f.write_str(&signal_name(*signal)),
            Cause::Requested => f.write_str("request"),
            Cause::Failed(name) => write!(f, "failure of `{name}`"),
            Cause::Panicked(name) => write!(f, "panic of `{name}`"),
            Cause::Finished(name) => write!(f, "end of `{name}`"),
            Cause::Ended => f.write_str("end of all services"),
            Cause::Dropped => f.write_str("drop of the group"),
        }
    }
}

#[cfg(feature = "signal")]
impl From<Signal> for Cause {
    fn from(signal: Signal) -> Cause {
        Cause::Signal(signal)
    }
}

/// The name a signal has in signal(7).
#[cfg(feature = "signal")]
pub(crate) fn signal_name(signal: Signal) -> String {
    match signal {
        Signal::Abort => "SIGABRT".into(),
        Signal::Alarm => "SIGALRM".into(),
        Signal::Child => "SIGCHLD".into(),
        Signal::Vtalarm => "SIGVTALRM".into(),
        other => format!("SIG{}", format!("{other:?}").to_uppercase()),
    }
}

/// An error that a service ended with.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// How one service ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Exit {
    /// It returned, and well.
    Finished,

    /// It, or a child it spawned, returned this error.
    Failed(BoxError),

    /// It, or a child it spawned, panicked with this message.
    Panicked(String),

    /// Its future was dropped: a [`race`](crate::Group::race) at the stop, any other service
    /// because it had not ended by its deadline. [`Report::is_straggler`] tells them apart.
    Cancelled,

    /// It was to be cancelled, but blocked its thread past the cancel timeout: it may still run.
    Abandoned,

    /// The stop came before it was first polled.
    NotStarted,
}

impl Exit {
    /// Whether this is an error or a panic.
    pub fn is_failure(&self) -> bool {
        matches!(self, Exit::Failed(_) | Exit::Panicked(_))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Finished => f.write_str("finished"),
            Exit::Failed(error) => write!(f, "failed: {error}"),
            Exit::Panicked(message) => write!(f, "panicked: {message}"),
            Exit::Cancelled => f.write_str("cancelled"),
            Exit::Abandoned => f.write_str("abandoned"),
            Exit::NotStarted => f.write_str("not started"),
        }
    }
}

/// The end of one service: how, and when.
///
/// All times are counted from the start of the group.
#[derive(Debug)]
pub struct Report {
    pub(crate) name: Cow<'static, str>,
    pub(crate) location: &'static Location<'static>,
    pub(crate) exit: Exit,
    pub(crate) later: Vec<Exit>,
    pub(crate) started: Option<Duration>,
    pub(crate) stopped: Option<Duration>,
    pub(crate) ended: Option<Duration>,
    pub(crate) straggler: bool,
}

impl Report {
    /// The name that the service was added under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The place in the source where it was added.
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// How it ended. The first failure, if it had several.
    pub fn exit(&self) -> &Exit {
        &self.exit
    }

    /// Further failures, in order: a service with children can have more than one.
    pub fn later_failures(&self) -> &[Exit] {
        &self.later
    }

    /// When it was first polled; `None` if it never was.
    pub fn started(&self) -> Option<Duration> {
        self.started
    }

    /// When it was told to stop; `None` if it ended before that.
    pub fn stopped(&self) -> Option<Duration> {
        self.stopped
    }

    /// When it had ended, children and all; `None` if it was abandoned.
    pub fn ended(&self) -> Option<Duration> {
        self.ended
    }

    /// How long it took to end after it had been told to stop.
    pub fn drained(&self) -> Option<Duration> {
        Some(self.ended?.saturating_sub(self.stopped?))
    }

    /// Whether it outlived its deadline, or a second signal, and was cancelled or abandoned.
    pub fn is_straggler(&self) -> bool {
        self.straggler
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.name, self.exit)?;
        if let Some(ended) = self.ended.filter(|_| self.started.is_some()) {
            write!(f, " after {ended:.1?}")?;
        }
        if let Some(drained) = self.drained() {
            write!(f, ", {drained:.1?} after the stop")?;
        }
        if self.straggler {
            write!(f, " (straggler, added at {})", self.location)?;
        }
        Ok(())
    }
}

/// How a group ended well: why it stopped, and what became of each service.
///
/// `{}` is one line for a person, `{:#}` adds a line for each service. As the value of `main` it
/// is the exit code 0.
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::{Cause, Group};
///
/// let mut group = Group::new();
/// group.add("greeter", |_| async { println!("hello") });
/// let outcome = future::block_on(group.run())?;
///
/// assert_eq!(*outcome.cause(), Cause::Ended);
/// assert_eq!(outcome.reports()[0].name(), "greeter");
/// # Ok::<(), neap::Error>(())
/// ```
#[derive(Debug)]
pub struct Outcome {
    pub(crate) cause: Cause,
    pub(crate) reports: Vec<Report>,
    pub(crate) failures: Vec<usize>,
    pub(crate) stopped: Duration,
    pub(crate) ended: Duration,
}

impl Outcome {
    /// Why the group stopped.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// What became of each service, in the order in which they were added.
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// The services that failed or panicked, the first failure first.
    pub fn failures(&self) -> impl Iterator<Item = &Report> {
        self.failures.iter().map(|&index| &self.reports[index])
    }

    /// The services that outlived their deadline, or a second signal.
    pub fn stragglers(&self) -> impl Iterator<Item = &Report> {
        self.reports.iter().filter(|report| report.straggler)
    }

    /// How long the group ran before it was stopped.
    pub fn stopped(&self) -> Duration {
        self.stopped
    }

    /// How long it took from the stop until every service had ended.
    pub fn drained(&self) -> Duration {
        self.ended.saturating_sub(self.stopped)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome {
            cause,
            reports,
            stopped,
            ..
        } = self;
        let drained = self.drained();
        match reports.len() {
            0 => return f.write_str("ended: there were no services"),
            _ if *cause == Cause::Ended => {
                write!(f, "ended: all services finished after {:.1?}", self.ended)?
            }
            1 => write!(
                f,
                "stopped by {cause} after {stopped:.1?}: 1 service ended in {drained:.1?}"
            )?,
            n => write!(
                f,
                "stopped by {cause} after {stopped:.1?}: {n} services ended in {drained:.1?}"
            )?,
        }
        if f.alternate() {
            for report in reports {
                write!(f, "\n  {report}")?;
            }
        }
        Ok(())
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
