//! How a service ended.

use std::error::Error;
use std::fmt;

use super::chain::Chain;

/// An error that a service ended with.
///
/// # Examples
///
/// ```
/// use neap::{BoxError, Exit};
///
/// let error: BoxError = "xxx".into();
/// assert_eq!(Exit::Failed(error).to_string(), "failed: xxx");
/// ```
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Boxes an error such that it can be found again by its type.
///
/// What `anyhow::Error` converts into by itself is of a type that cannot be named.
pub(crate) fn boxed<E: Into<BoxError> + 'static>(error: E) -> BoxError {
    #[cfg(feature = "anyhow")]
    {
        use std::any::Any;

        let mut error = Some(error);
        let as_anyhow = (&mut error as &mut dyn Any).downcast_mut::<Option<anyhow::Error>>();
        if let Some(error) = as_anyhow.and_then(Option::take) {
            return error.reallocate_into_boxed_dyn_error_without_backtrace();
        }
        error.map_or_else(|| "an error".into(), Into::into)
    }
    #[cfg(not(feature = "anyhow"))]
    error.into()
}

/// How one service ended.
///
/// `{}` has what the error says itself, `{:#}` its causes too, each of them once.
///
/// # Examples
///
/// ```
/// use anyhow::anyhow;
/// use neap::Exit;
///
/// assert_eq!(Exit::Panicked("out of paper".into()).to_string(), "panicked: out of paper");
///
/// let exit = Exit::Failed(anyhow!("no such file").context("cannot start").into());
/// assert_eq!(exit.to_string(), "failed: cannot start");
/// assert_eq!(format!("{exit:#}"), "failed: cannot start: no such file");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Exit {
    /// It returned without an error.
    Finished,

    /// It, or a child it spawned, returned this error.
    Failed(BoxError),

    /// It, or a child it spawned, panicked with this message.
    Panicked(String),

    /// Its future was dropped at the stop, as is right for a [`race`](crate::Group::race).
    Stopped,

    /// Its future was dropped because it had not ended in time: it is a
    /// [straggler](crate::ServiceReport::is_straggler). Or because
    /// [that was asked for](crate::Handle::cancel_one).
    Cancelled,

    /// It was to be cancelled, and was not polled within the cancel timeout: it blocks its thread, or
    /// another blocks the thread that it waits for. It may still run.
    Abandoned,

    /// The stop came before it was first polled.
    NotStarted,
}

impl Exit {
    /// Returns true for an error or a panic.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::Exit;
    ///
    /// assert!(Exit::Failed("xxx".into()).is_failure());
    /// assert!(!Exit::Cancelled.is_failure());
    /// ```
    pub fn is_failure(&self) -> bool {
        matches!(self, Exit::Failed(_) | Exit::Panicked(_))
    }

    /// Returns what an [`Event::Failed`](crate::Event::Failed) says: the error's own text, or
    /// `panicked: ` and the message of the panic.
    pub(crate) fn message(&self) -> String {
        match self {
            Exit::Failed(error) => error.to_string(),
            exit => exit.to_string(),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Finished => f.write_str("finished"),
            Exit::Failed(error) if f.alternate() => write!(f, "failed: {}", Chain(&**error)),
            Exit::Failed(error) => write!(f, "failed: {error}"),
            Exit::Panicked(message) => write!(f, "panicked: {message}"),
            Exit::Stopped => f.write_str("stopped"),
            Exit::Cancelled => f.write_str("cancelled"),
            Exit::Abandoned => f.write_str("abandoned"),
            Exit::NotStarted => f.write_str("not started"),
        }
    }
}

/// How a future of a service came to its end.
#[doc(hidden)]
#[derive(Debug)]
pub enum End {
    Finished,
    Failed(Failure),

    /// It was dropped before it was done: a race at the stop.
    Dropped,
}

/// How a future of a service failed.
#[doc(hidden)]
#[derive(Debug)]
pub enum Failure {
    Error(BoxError),

    /// With the message of the panic.
    Panic(String),
}

impl From<Failure> for Exit {
    fn from(failure: Failure) -> Exit {
        match failure {
            Failure::Error(error) => Exit::Failed(error),
            Failure::Panic(message) => Exit::Panicked(message),
        }
    }
}
