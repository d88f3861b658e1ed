//! Which services of a group are not ready, in words.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::core::{Core, Member};
use super::waiting::NAMES;
use crate::service::lifecycle::Phase;
use crate::stop::force::Elapsed;

/// Services that are not ready, each with how long it has been starting, where it was added, if that
/// is to be said, and which others wait for it: `` still starting: `db` (for 10.0s); `http` waits for
/// it ``.
pub(super) struct Unready<'c> {
    pub(super) core: &'c Core,

    /// The services, each with whether to say where it was added.
    pub(super) members: &'c [(Arc<Member>, bool)],
}

impl fmt::Display for Unready<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.core.timeline.now();
        for (index, (member, with_place)) in self.members.iter().take(NAMES).enumerate() {
            let before = if index == 0 { "still starting:" } else { ";" };
            let since = now.saturating_sub(member.data.started().unwrap_or(now));
            let since = Elapsed(Duration::from_nanos(since));
            write!(f, "{before} `{}` (for {since}", member.name())?;
            if *with_place {
                write!(f, ", added at {}", member.data.location())?;
            }
            f.write_str(")")?;
            fmt_held(f, &held_by(self.core, member.index()))?;
        }
        match self.members.len().saturating_sub(NAMES) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// Returns the services that do not start before this one is ready, as they need it.
fn held_by(core: &Core, index: usize) -> Vec<Arc<Member>> {
    let members = core.registry.snapshot();
    let plan = core.plan();
    let needs_it = |member: &&Arc<Member>| {
        let needs = plan.needs_of(member.index());
        let is_waiting = member.data.lifecycle().phase() == Phase::Waiting;
        is_waiting && needs.is_some_and(|needs| needs.contains(&index))
    };
    members.iter().filter(needs_it).cloned().collect()
}

fn fmt_held(f: &mut fmt::Formatter<'_>, held: &[Arc<Member>]) -> fmt::Result {
    for (index, member) in held.iter().take(NAMES).enumerate() {
        let before = if index == 0 { ";" } else { "," };
        write!(f, "{before} `{}`", member.name())?;
    }
    match held.len() {
        0 => Ok(()),
        1 => f.write_str(" waits for it"),
        count if count > NAMES => write!(f, " and {} more wait for it", count - NAMES),
        _ => f.write_str(" wait for it"),
    }
}
