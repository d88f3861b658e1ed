//! The error of a group.

use std::error::Error as StdError;
use std::fmt;
use std::process::ExitCode;

use super::Outcome;
use super::report::ServiceReport;
use super::stragglers::Stragglers;
use crate::service::exit::Exit;

/// Why a group did not end well, or did not start.
///
/// The [`Outcome`] with its first failure in front. `Display` is one line that names the service
/// and what it said; `Debug`, which is what `fn main() -> Result<(), neap::Error>` prints, adds
/// the causes below it, the later failures and the stragglers, a line each.
///
/// [`source`](StdError::source) goes on where `Display` ends: it is what the service's error gives
/// as its own source. The service's error itself is [`failure`](Error::failure).
///
/// # In a `main` that returns `anyhow::Result`
///
/// anyhow prints `Display` and the sources, and so the later failures and the stragglers are lost,
/// unless the group [narrates](crate::Group::narrate). To have them all printed, give anyhow what
/// `Debug` says; the type of the error is lost by that:
///
/// ```
/// use anyhow::anyhow;
/// use futures_lite::future;
/// use neap::Group;
///
/// fn run() -> anyhow::Result<()> {
///     let mut group = Group::new();
///     group.add("http", async move |scope| { scope.stopped().await; Err("cut") });
///     group.add("db", async |_| { Err(anyhow!("refused").context("no pool")) });
///     future::block_on(group.run()).map_err(|error| anyhow!("{error:?}"))?;
///     Ok(())
/// }
///
/// let printed = format!("{:?}", run().unwrap_err());
/// let beginning = "service `db` failed: no pool\n  caused by: refused\n  then: `http` failed: cut";
/// assert!(printed.starts_with(beginning));
/// ```
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::Group;
///
/// let mut group = Group::new();
/// group.add("timer", async |_| { Err("xxx") });
/// let error = future::block_on(group.run()).unwrap_err();
///
/// assert_eq!(error.service(), Some("timer"));
/// assert_eq!(error.to_string(), "service `timer` failed: xxx");
/// ```
pub struct Error {
    /// Boxed, to keep the `Result` of every caller small.
    kind: Box<Kind>,
}

enum Kind {
    /// A service failed, panicked, or did not end in time. Holds at least one such.
    Ended(Outcome),

    /// A source of stops panicked with this message, and no service failed.
    Source(String, Outcome),

    /// The group was to run no service at once.
    ZeroLimit,

    /// A signal cannot be listened for.
    #[cfg(feature = "signal")]
    Signal(async_signal::Signal, std::io::Error),
}

impl Error {
    /// Returns the outcome as an error if a service failed or had to be cancelled.
    pub(crate) fn check(outcome: Outcome, source_panic: Option<String>) -> Result<Outcome, Error> {
        let kind = match source_panic {
            Some(message) if !outcome.has_failures() => Kind::Source(message, outcome),
            _ if !outcome.has_failures() && !outcome.has_stragglers() => return Ok(outcome),
            _ => Kind::Ended(outcome),
        };
        Err(Error {
            kind: Box::new(kind),
        })
    }

    pub(crate) fn zero_limit() -> Error {
        Error {
            kind: Box::new(Kind::ZeroLimit),
        }
    }

    #[cfg(feature = "signal")]
    pub(crate) fn signal(signal: async_signal::Signal, error: std::io::Error) -> Error {
        Error {
            kind: Box::new(Kind::Signal(signal, error)),
        }
    }

    /// Returns the whole outcome; `None` if the group did not start.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("db", async |_| { Err("xxx") });
    /// let error = future::block_on(group.run()).unwrap_err();
    /// assert_eq!(error.outcome().unwrap().reports().len(), 1);
    /// ```
    pub fn outcome(&self) -> Option<&Outcome> {
        match &*self.kind {
            Kind::Ended(outcome) | Kind::Source(_, outcome) => Some(outcome),
            Kind::ZeroLimit => None,
            #[cfg(feature = "signal")]
            Kind::Signal(..) => None,
        }
    }

    /// Returns the name of the service to blame: the first that failed, or else the first that did not end in time.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("db", async |_| { Err("xxx") });
    /// let error = future::block_on(group.run()).unwrap_err();
    /// assert_eq!(error.service(), Some("db"));
    /// ```
    pub fn service(&self) -> Option<&str> {
        self.culprit().map(|report| report.name())
    }

    /// Returns the error of the first failure, if a service returned one.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("db", async |_| { Err(io::Error::from(io::ErrorKind::ConnectionRefused)) });
    /// let error = future::block_on(group.run()).unwrap_err();
    ///
    /// let failure = error.failure().and_then(|failure| failure.downcast_ref::<io::Error>());
    /// assert_eq!(failure.unwrap().kind(), io::ErrorKind::ConnectionRefused);
    /// ```
    pub fn failure(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        match self.culprit()?.exit() {
            Exit::Failed(error) => Some(&**error),
            _ => None,
        }
    }

    /// Returns the message of the first failure, if it was a panic.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.race("job", async { panic!("out of paper") });
    /// let error = future::block_on(group.run()).unwrap_err();
    /// assert_eq!(error.panic_message(), Some("out of paper"));
    /// ```
    pub fn panic_message(&self) -> Option<&str> {
        if let Kind::Source(message, _) = &*self.kind {
            return Some(message);
        }
        match self.culprit()?.exit() {
            Exit::Panicked(message) => Some(message),
            _ => None,
        }
    }

    /// Returns true if nothing failed, but a service did not end in time and was cancelled or abandoned.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("db", async |_| { Err("xxx") });
    /// let error = future::block_on(group.run()).unwrap_err();
    /// assert!(!error.is_timeout(), "it failed");
    /// ```
    pub fn is_timeout(&self) -> bool {
        match &*self.kind {
            Kind::Ended(outcome) => outcome.failures().next().is_none(),
            _ => false,
        }
    }

    /// Returns the error of the operating system that kept the group from being made.
    pub(super) fn io_error(&self) -> Option<&std::io::Error> {
        match &*self.kind {
            #[cfg(feature = "signal")]
            Kind::Signal(_, error) => Some(error),
            _ => None,
        }
    }

    /// The first failure, or else the first straggler.
    fn culprit(&self) -> Option<ServiceReport<'_>> {
        let Kind::Ended(outcome) = &*self.kind else {
            return None;
        };
        let first = outcome.failures().next();
        first.or_else(|| outcome.stragglers().next())
    }

    /// The lines that `Debug` adds to `Display`.
    fn fmt_details(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut source = self.source();
        while let Some(error) = source {
            write!(f, "\n  caused by: {error}")?;
            source = error.source();
        }
        let Some(outcome) = self.outcome() else {
            return Ok(());
        };
        for report in outcome.failures().skip(1) {
            write!(f, "\n  then: {report:#}")?;
        }
        for (report, exit) in outcome.later_failures() {
            write!(f, "\n  then: `{}` {exit:#}", report.name())?;
        }
        for report in outcome.stragglers() {
            write!(f, "\n  straggler: {report}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.kind {
            Kind::Ended(outcome) => fmt_outcome(outcome, f),
            Kind::Source(message, _) => write!(f, "a source of stops panicked: {message}"),
            Kind::ZeroLimit => f.write_str("the limit of the group is zero: no service could run"),
            #[cfg(feature = "signal")]
            Kind::Signal(signal, error) => {
                write!(
                    f,
                    "cannot listen for {}: {error}",
                    crate::stop::cause::signal_name(*signal)
                )
            }
        }
    }
}

/// The first failure, or else every straggler, in one line.
fn fmt_outcome(outcome: &Outcome, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some(first) = outcome.failures().next() {
        return write!(f, "service `{}` {}", first.name(), first.exit());
    }
    write!(
        f,
        "{} (stopped by {})",
        Stragglers(outcome),
        outcome.cause()
    )
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        self.fmt_details(f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &*self.kind {
            Kind::Ended(_) => self.failure().and_then(StdError::source),
            Kind::Source(..) | Kind::ZeroLimit => None,
            #[cfg(feature = "signal")]
            Kind::Signal(_, error) => error.source(),
        }
    }
}

impl From<&Error> for ExitCode {
    fn from(_: &Error) -> ExitCode {
        ExitCode::FAILURE
    }
}

impl From<Error> for ExitCode {
    fn from(error: Error) -> ExitCode {
        ExitCode::from(&error)
    }
}
