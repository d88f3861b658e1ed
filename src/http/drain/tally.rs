//! Connections, counted by state.

use std::fmt;

use crate::http::socket::ConnState;

/// Connections, counted by state.
///
/// # Examples
///
/// ```
/// use neap::http::Tally;
///
/// let tally = Tally { active: 2, idle: 1, ..Tally::default() };
/// assert_eq!(tally.to_string(), "2 active, 1 idle");
/// assert_eq!(tally.total(), 3);
/// assert_eq!(Tally::default().to_string(), "none");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Connections that were accepted, and have sent no byte yet.
    pub fresh: usize,
    /// Connections with a part of a request's head.
    pub head: usize,
    /// Connections with a handler at work and no byte of the response sent.
    pub active: usize,
    /// Connections with a response that is being written.
    pub responding: usize,
    /// Connections that are kept alive, between two requests.
    pub idle: usize,
    /// Connections that are no longer HTTP.
    pub upgraded: usize,
    /// Connections that the server has closed, and the peer has not.
    pub linger: usize,
}

impl Tally {
    /// Returns the number of all connections.
    #[must_use]
    pub fn total(&self) -> usize {
        self.counts().iter().map(|(count, _)| count).sum()
    }

    /// Returns the count of connections in this state.
    pub(super) fn count_mut(&mut self, state: ConnState) -> &mut usize {
        match state {
            ConnState::Fresh => &mut self.fresh,
            ConnState::Head => &mut self.head,
            ConnState::Active => &mut self.active,
            ConnState::Responding => &mut self.responding,
            ConnState::Idle => &mut self.idle,
            ConnState::Upgraded => &mut self.upgraded,
            ConnState::Linger => &mut self.linger,
        }
    }

    /// Returns each count, and the words for its state.
    fn counts(&self) -> [(usize, &'static str); 7] {
        [
            (self.fresh, "fresh"),
            (self.head, "in a head"),
            (self.active, "active"),
            (self.responding, "responding"),
            (self.idle, "idle"),
            (self.upgraded, "upgraded"),
            (self.linger, "lingering"),
        ]
    }
}

/// The counts that are not zero, such as `2 active, 1 idle`; `none` if all are zero.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (count, state) in self.counts().into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{separator}{count} {state}")?;
            separator = ", ";
        }
        if separator.is_empty() {
            f.write_str("none")?;
        }
        Ok(())
    }
}
