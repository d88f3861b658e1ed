//! How far a service is, as the user sees it.

use std::fmt;

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

    /// It blocked its thread past the cancel timeout, and the group does not wait for it.
    Abandoned,
}

impl State {
    /// Returns true if the service has started and has not ended.
    pub fn is_running(self) -> bool {
        !self.is_ended() && self != State::Waiting
    }

    /// Returns true if the group waits for the service no more: it has ended, or was abandoned.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::State;
    ///
    /// assert!(State::Ended.is_ended() && State::Abandoned.is_ended());
    /// assert!(State::Draining.is_running() && !State::Draining.is_ended());
    /// assert!(!State::Waiting.is_running() && !State::Waiting.is_ended());
    /// ```
    pub fn is_ended(self) -> bool {
        matches!(self, State::Ended | State::Abandoned)
    }
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
