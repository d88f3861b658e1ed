//! Why a group stopped.

use std::borrow::Cow;
use std::fmt;

#[cfg(feature = "signal")]
use async_signal::Signal;

/// Why a group, or a [`StopSource`](crate::StopSource), was stopped.
///
/// The first cause wins: later ones change nothing.
///
/// # Examples
///
/// ```
/// use neap::Cause;
///
/// assert_eq!(Cause::Failed("db".into()).to_string(), "failure of `db`");
/// assert_eq!(Cause::from("the disk is full").to_string(), "request (the disk is full)");
/// # #[cfg(feature = "signal")]
/// assert_eq!(Cause::Signal(neap::signal::Signal::Term).to_string(), "SIGTERM");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The operating system sent this signal.
    #[cfg(feature = "signal")]
    Signal(Signal),

    /// The program asked for it, with a [`Handle`](crate::Handle), a [`Scope`](crate::Scope) or a
    /// source.
    Requested,

    /// The program asked for it, and said why, as with [`Handle::stop_with`](crate::Handle::stop_with).
    Because(Cow<'static, str>),

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
            Cause::Because(reason) => write!(f, "request ({reason})"),
            Cause::Failed(name) => write!(f, "failure of `{name}`"),
            Cause::Panicked(name) => write!(f, "panic of `{name}`"),
            Cause::Finished(name) => write!(f, "end of `{name}`"),
            Cause::Ended => f.write_str("end of all services"),
            Cause::Dropped => f.write_str("drop of the group"),
        }
    }
}

impl Cause {
    /// Returns true if the program asked for the stop, with or without a reason.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::Cause;
    ///
    /// assert!(Cause::Requested.is_request() && Cause::from("enough").is_request());
    /// assert!(!Cause::Ended.is_request());
    /// ```
    pub fn is_request(&self) -> bool {
        matches!(self, Cause::Requested | Cause::Because(_))
    }
}

/// A reason in words.
impl From<&'static str> for Cause {
    fn from(reason: &'static str) -> Cause {
        Cause::Because(reason.into())
    }
}

/// A reason in words.
impl From<String> for Cause {
    fn from(reason: String) -> Cause {
        Cause::Because(reason.into())
    }
}

#[cfg(feature = "signal")]
impl From<Signal> for Cause {
    fn from(signal: Signal) -> Cause {
        Cause::Signal(signal)
    }
}

/// Returns the name that a signal has in signal(7).
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
