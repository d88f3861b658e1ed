//! The services of a group, all of them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::hub::Hub;
use crate::member::Member;
use crate::{Cause, ServiceId};

/// Why a service, or what is asked for it, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The group has been stopped.
    Stopped,

    /// It would have to wait for its turn, and does not want to.
    Full,

    /// It needs a service of another group.
    Foreign,

    /// It needs itself.
    Itself,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Stopped => "the group has been stopped",
            Reason::Full => "as many services run as the group allows",
            Reason::Foreign => "it needs a service of another group",
            Reason::Itself => "it needs itself",
        })
    }
}

/// All services of a group, in the order in which they were added; they stay until its end.
///
/// Apart from the hub, which every service owns: together they would keep each other alive.
#[derive(Default)]
pub(crate) struct Roster {
    /// Shared with whoever looks at it, so that nothing of theirs is called under the lock.
    members: Mutex<Arc<Vec<Arc<Member>>>>,
}

impl Roster {
    fn lock(&self) -> MutexGuard<'_, Arc<Vec<Arc<Member>>>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a service and counts it in. `make` is given its index.
    pub(crate) fn add(&self, hub: &Hub, make: impl FnOnce(usize) -> Arc<Member>) -> Arc<Member> {
        Roster::push(&mut self.lock(), hub, make)
    }

    /// Adds a service as [`add`](Roster::add) does, unless the group has been stopped.
    ///
    /// A stop is latched before this list is looked at to tell everybody of it, so a service is
    /// either refused here or told there. Without `patience`, one that would have to wait for its
    /// turn is refused too.
    pub(crate) fn admit(
        &self,
        hub: &Hub,
        patience: bool,
        make: impl FnOnce(usize) -> Arc<Member>,
    ) -> Result<Arc<Member>, Reason> {
        let mut members = self.lock();
        if hub.is_stopped() {
            Err(Reason::Stopped)
        } else if !patience && !hub.plan.take_turn(members.len()) {
            Err(Reason::Full)
        } else {
            Ok(Roster::push(&mut members, hub, make))
        }
    }

    /// The service that one of a group needs.
    pub(crate) fn needed(
        &self,
        hub: &Hub,
        member: usize,
        id: ServiceId,
    ) -> Result<Arc<Member>, Reason> {
        let index = id.index_in(hub).ok_or(Reason::Foreign)?;
        // All but itself were added before: their ids could not be had otherwise.
        let found = self.lock().get(index).cloned();
        found.filter(|_| index != member).ok_or(Reason::Itself)
    }

    fn push(
        members: &mut Arc<Vec<Arc<Member>>>,
        hub: &Hub,
        make: impl FnOnce(usize) -> Arc<Member>,
    ) -> Arc<Member> {
        let member = make(members.len());
        hub.enter(member.is_background());
        Arc::make_mut(members).push(Arc::clone(&member));
        member
    }

    /// Stops a group that nobody keeps alive, unless somebody is added at this very moment.
    pub(crate) fn close(&self, hub: &Hub, cause: Cause) {
        let members = self.lock();
        let waiters = if hub.is_quiet() {
            hub.set_stop(cause)
        } else {
            None
        };
        drop(members);
        hub.wake(waiters);
    }

    /// The list as it is now.
    pub(crate) fn snapshot(&self) -> Arc<Vec<Arc<Member>>> {
        Arc::clone(&self.lock())
    }

    /// Empties the list, for the sake of handles that outlive the group.
    pub(crate) fn take(&self) -> Vec<Arc<Member>> {
        let members = std::mem::take(&mut *self.lock());
        Arc::unwrap_or_clone(members)
    }
}
