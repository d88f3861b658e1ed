//! Something that has to be over before a service counts as ended.

use std::fmt;
use std::sync::Arc;

use crate::members::core::Member;

/// Keeps a service from counting as ended until it is dropped: what
/// [`Scope::guard`](crate::Scope::guard) returns.
///
/// Borrows nothing, so that threads, and tasks of other executors, can hold it.
#[must_use = "dropping it at once guards nothing"]
pub struct Guard {
    member: Arc<Member>,
}

impl Guard {
    /// Guards a service; `None` once it has been cancelled, or has ended.
    pub(super) fn new(member: &Arc<Member>) -> Option<Guard> {
        member.enter_child().then(|| Guard {
            member: Arc::clone(member),
        })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.member.leave_child();
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("service", &self.member.name())
            .finish()
    }
}
