//! A service that a group does not take.

use std::borrow::Cow;
use std::fmt;

use crate::members::registry::Reason;

/// The error of [`Handle::add`](crate::Handle::add): the group does not take the service, and it comes back.
///
/// # Examples
///
/// ```
/// use neap::Group;
///
/// let group = Group::new();
/// let handle = group.handle();
/// handle.stop();
/// let refused = handle.add("late", async |_| {}).unwrap_err();
/// assert_eq!(refused.to_string(), "service `late` was refused: the group has been stopped");
/// ```
pub struct Refused<S> {
    name: Cow<'static, str>,
    reason: Reason,
    service: S,
}

impl<S> Refused<S> {
    pub(super) fn new(name: Cow<'static, str>, reason: Reason, service: S) -> Refused<S> {
        Refused {
            name,
            reason,
            service,
        }
    }

    /// The service that was refused.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::Group;
    ///
    /// let group = Group::new();
    /// let handle = group.handle();
    /// handle.stop();
    /// let refused = handle.add("late", async |_| {}).unwrap_err();
    ///
    /// let mut other = Group::new();
    /// other.add("in time", refused.into_service());
    /// # drop((group, other));
    /// ```
    pub fn into_service(self) -> S {
        self.service
    }

    /// Returns true if it would have had to wait, see [`Handle::try_add`](crate::Handle::try_add).
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::Group;
    ///
    /// let group = Group::new();
    /// let handle = group.handle();
    /// handle.stop();
    /// let refused = handle.add("late", async |_| {}).unwrap_err();
    /// assert!(!refused.is_full(), "it was stopped");
    /// ```
    pub fn is_full(&self) -> bool {
        self.reason == Reason::Full
    }
}

impl<S> fmt::Display for Refused<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "service `{}` was refused: {}", self.name, self.reason)
    }
}

impl<S> fmt::Debug for Refused<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("name", &self.name)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl<S> std::error::Error for Refused<S> {}
