//! Which services a group waits for, in words.

use std::fmt;
use std::sync::Arc;

use super::core::{Core, Member};
#[cfg(all(unix, feature = "systemd"))]
use crate::service::lifecycle::Lifecycle;
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
    list_some(f, running(&core.registry.snapshot()), one)
}

fn list_some<'m>(
    f: &mut fmt::Formatter<'_>,
    mut members: impl Iterator<Item = &'m Arc<Member>>,
    one: impl Fn(&mut fmt::Formatter<'_>, &Member) -> fmt::Result,
) -> fmt::Result {
    for (index, member) in members.by_ref().take(NAMES).enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        one(f, member)?;
    }
    match members.count() {
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

/// Services by name, each with what it waits for: `` `db`, `http` (2 connections: 1 active, 1 idle) ``.
#[cfg(all(unix, feature = "systemd"))]
pub(crate) struct Awaited<'c> {
    core: &'c Core,
    is_awaited: fn(Lifecycle) -> bool,
}

#[cfg(all(unix, feature = "systemd"))]
impl<'c> Awaited<'c> {
    /// Names the services that are as `is_awaited` says.
    pub(crate) fn new(core: &'c Core, is_awaited: fn(Lifecycle) -> bool) -> Awaited<'c> {
        Awaited { core, is_awaited }
    }
}

#[cfg(all(unix, feature = "systemd"))]
impl fmt::Display for Awaited<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.core.registry.snapshot();
        let is_awaited = |member: &&Arc<Member>| (self.is_awaited)(member.data.lifecycle());
        list_some(f, members.iter().filter(is_awaited), |f, member| {
            write!(f, "`{}`", member.name())?;
            match Reason(member).to_string().strip_prefix(", ") {
                Some(reason) => write!(f, " ({reason})"),
                None => Ok(()),
            }
        })
    }
}

/// What a service waits for, behind a comma.
#[cfg(all(unix, feature = "systemd"))]
struct Reason<'m>(&'m Member);

#[cfg(all(unix, feature = "systemd"))]
impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_reason(f, self.0, false)
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
