//! Which services a group waits for, in words.

use std::fmt;
use std::sync::Arc;

use super::core::{Core, Member};
use crate::stop::force::Elapsed;

/// How many services a line names at the most.
pub(super) const NAMES: usize = 8;

/// The services that have started and not ended, by name, with the number of the children that one
/// waits for which has returned itself: `` `db`, `http` (1 child) ``.
pub(super) struct Names<'c>(pub(super) &'c Core);

/// The services that have started and not ended, each with how long it has been draining, what it
/// waits for, and, if that is to be said, where it was added.
pub(super) struct Waiting<'c> {
    core: &'c Core,
    with_places: bool,
}

impl<'c> Waiting<'c> {
    /// Says where the services were added if no record of the group has said it.
    pub(super) fn new(core: &'c Core) -> Waiting<'c> {
        let with_places = !core.narrator.has_told_places();
        Waiting { core, with_places }
    }
}

/// Returns the services that have started and not ended.
fn running(members: &[Arc<Member>]) -> impl Iterator<Item = &Arc<Member>> {
    let is_running = |member: &&Arc<Member>| member.data.lifecycle().is_running();
    members.iter().filter(is_running)
}

/// Returns true if a service of the group has started and not ended.
pub(super) fn is_any_running(core: &Core) -> bool {
    running(&core.registry.snapshot()).next().is_some()
}

/// Returns how many services of a group have started and not ended.
#[cfg(feature = "log")]
pub(super) fn count_running(core: &Core) -> usize {
    running(&core.registry.snapshot()).count()
}

/// Writes a list of the services, of which the first few have a text.
fn list(
    f: &mut fmt::Formatter<'_>,
    core: &Core,
    one: impl Fn(&mut fmt::Formatter<'_>, &Member) -> fmt::Result,
) -> fmt::Result {
    let members = core.registry.snapshot();
    for (index, member) in running(&members).take(NAMES).enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        one(f, member)?;
    }
    match running(&members).count().saturating_sub(NAMES) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, self.0, |f, member| {
            write!(f, "`{}`", member.name())?;
            match member.data.children.count() {
                _ if !member.data.children.are_awaited() => Ok(()),
                0 => Ok(()),
                1 => f.write_str(" (1 child)"),
                children => write!(f, " ({children} children)"),
            }
        })
    }
}

impl fmt::Display for Waiting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, self.core, |f, member| {
            fmt_member(f, member, self.with_places)
        })
    }
}

fn fmt_member(f: &mut fmt::Formatter<'_>, member: &Member, with_places: bool) -> fmt::Result {
    write!(f, "`{}` (", member.name())?;
    match member.draining_for() {
        Some(since) => write!(f, "for {}", Elapsed(since))?,
        None => f.write_str("not told yet")?,
    }
    fmt_reason(f, member, with_places)?;
    if with_places {
        write!(f, ", added at {}", member.data.location())?;
    }
    f.write_str(")")
}

/// What the service says itself, or else the services within it, or else its children.
fn fmt_reason(f: &mut fmt::Formatter<'_>, member: &Member, with_places: bool) -> fmt::Result {
    if let Some(text) = member.host.progress.of(member.index()) {
        return write!(f, ", {text}");
    }
    let within = member.host.nested_in(member.index());
    for core in &within {
        write!(f, ", within it: {}", Waiting { core, with_places })?;
    }
    match member.data.children.count() {
        _ if !within.is_empty() => Ok(()),
        0 => Ok(()),
        1 => f.write_str(", 1 child"),
        children => write!(f, ", {children} children"),
    }
}
