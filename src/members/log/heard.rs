//! Who tells, and since when.

use std::time::Duration;

use crate::members::core::{Core, Member};
use crate::members::narrator::Role;

/// Returns true if nothing that is told is heard: what it takes to tell is left out.
pub(super) fn is_unheard(core: &Core) -> bool {
    !cfg!(feature = "log") && !core.narrator.tells(Role::Within)
}

/// Returns who tells of the stop of a group: the outer one, if it is stopped too.
pub(super) fn teller(core: &Core) -> Role {
    if core.is_outer_stopped() {
        Role::Group
    } else {
        Role::Within
    }
}

/// Returns a time as counted from the start of the group.
pub(super) fn since_start(member: &Member, at: u64) -> Duration {
    let opened = member.host.readiness.opened_at().unwrap_or(at);
    Duration::from_nanos(at.saturating_sub(opened))
}
