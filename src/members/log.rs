//! The log records of a group, through the `log` crate if the feature of that name is on.
//!
//! Their target is `neap`. Each has a key `event`, and `service` where it is about one. A change of
//! these or of the wording has a line in the changelog. Nothing is printed.

#[cfg(not(feature = "log"))]
pub(crate) use self::disabled::*;
#[cfg(feature = "log")]
pub(crate) use self::enabled::*;

#[cfg(feature = "log")]
mod enabled {
    use std::fmt::{Display, Write};
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use log::{Level, debug, error, info, log_enabled, warn};

    use crate::executor::panic::catch;
    use crate::members::core::Member;
    use crate::service::exit::Exit;
    use crate::stop::cause::Cause;

    /// Hands a record to the logger, which is the user's: a panic of it ends here.
    fn hand_over(log: impl FnOnce()) {
        let _ = catch(log);
    }

    /// How many names a line has at the most.
    const NAMES: usize = 8;

    pub(crate) fn started(member: &Member) {
        let name = member.name();
        hand_over(|| info!(target: "neap", event = "started", service = name; "`{name}` started"));
    }

    pub(crate) fn ready(member: &Member) {
        if let Some(from) = member.data.started() {
            let (name, took) = (
                member.name(),
                member.host.timeline.now().saturating_sub(from),
            );
            let took = Duration::from_nanos(took);
            hand_over(
                || info!(target: "neap", event = "ready", service = name; "`{name}` ready after {took:.1?}"),
            );
        }
    }

    pub(crate) fn ready_late(member: &Member) {
        let name = member.name();
        hand_over(
            || warn!(target: "neap", event = "ready late", service = name; "`{name}` was taken for ready at its first poll, as it did not call `starting`"),
        );
    }

    pub(crate) fn failed(member: &Member, exit: &Exit) {
        let name = member.name();
        // Caught by the caller: it displays an error of the user's.
        error!(target: "neap", event = "failed", service = name; "`{name}` {exit}");
    }

    pub(crate) fn restarting(member: &Member, end: &dyn Display, delay: Duration) {
        let name = member.name();
        hand_over(
            || warn!(target: "neap", event = "restarting", service = name; "`{name}` {end}; restarting it in {delay:.1?}"),
        );
    }

    pub(crate) fn ended(member: &Member, finished: bool) {
        if let (Some(from), Some(to)) = (member.data.started(), member.data.ended()) {
            let (name, lasted) = (member.name(), Duration::from_nanos(to - from));
            let how = if finished { "ended" } else { "cancelled" };
            hand_over(
                || info!(target: "neap", event = how, service = name; "`{name}` {how} after {lasted:.1?}"),
            );
        }
    }

    pub(crate) fn stopping(cause: Option<&Cause>, members: &[Arc<Member>]) {
        if let Some(cause) = cause.filter(|cause| **cause != Cause::Ended) {
            let running = running(members).count();
            hand_over(
                || info!(target: "neap", event = "stopping", cause:%, running; "stopping: {cause}; services to end: {running}"),
            );
        }
    }

    pub(crate) fn stopping_already(cause: &Cause) {
        hand_over(
            || info!(target: "neap", event = "stopping already", cause:%; "stopping already, so {cause} changes nothing; another cancels"),
        );
    }

    pub(crate) fn draining(members: &[Arc<Member>], deadline: Option<Instant>, now: Instant) {
        if log_enabled!(target: "neap", Level::Warn) {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(now));
            let left = left.map_or(String::new(), |left| format!("; cancelled in {left:.1?}"));
            let names = names(members);
            hand_over(
                || warn!(target: "neap", event = "still draining"; "still draining: {names}{left}"),
            );
        }
    }

    pub(crate) fn forced(cause: &Cause) {
        hand_over(
            || warn!(target: "neap", event = "forced", cause:%; "{cause} again: not waiting any longer"),
        );
    }

    pub(crate) fn cancelling(members: &[Arc<Member>]) {
        if log_enabled!(target: "neap", Level::Warn) && running(members).next().is_some() {
            let names = names(members);
            hand_over(|| warn!(target: "neap", event = "cancelling"; "cancelling: {names}"));
        }
    }

    pub(crate) fn abandoned(members: &[Arc<Member>]) {
        let blocked = members.iter().filter(|member| member.is_cancelled());
        let names = names(&blocked.cloned().collect::<Vec<_>>());
        hand_over(
            || error!(target: "neap", event = "abandoned"; "abandoned, as they block their thread: {names}"),
        );
    }

    pub(crate) fn outcome(outcome: &dyn Display) {
        hand_over(|| debug!(target: "neap", event = "outcome"; "{outcome}"));
    }

    /// The services that have started and not ended.
    fn running(members: &[Arc<Member>]) -> impl Iterator<Item = &Arc<Member>> {
        members
            .iter()
            .filter(|member| member.data.lifecycle().is_running())
    }

    /// Returns a line with the first few services that have not ended: their names, for how long
    /// they have been draining, and where they were added.
    fn names(members: &[Arc<Member>]) -> String {
        let mut line = String::new();
        for (index, member) in running(members).take(NAMES).enumerate() {
            let (name, place) = (member.name(), member.data.location());
            let comma = if index == 0 { "" } else { ", " };
            // Writing to a string does not fail.
            let _ = write!(line, "{comma}`{name}` (");
            let _ = match member.draining_for() {
                Some(since) => write!(line, "for {since:.1?}, "),
                None => write!(line, "not told yet, "),
            };
            let _ = match member.data.children.count() {
                0 => write!(line, "added at {place})"),
                1 => write!(line, "1 child, added at {place})"),
                n => write!(line, "{n} children, added at {place})"),
            };
        }
        match running(members).count().saturating_sub(NAMES) {
            0 => line,
            more => line + &format!(" and {more} more"),
        }
    }
}

#[cfg(not(feature = "log"))]
mod disabled {
    use std::fmt::Display;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use crate::members::core::Member;
    use crate::service::exit::Exit;
    use crate::stop::cause::Cause;

    pub(crate) fn started(_: &Member) {}
    pub(crate) fn ready(_: &Member) {}
    pub(crate) fn ready_late(_: &Member) {}
    pub(crate) fn failed(_: &Member, _: &Exit) {}
    pub(crate) fn restarting(_: &Member, _: &dyn Display, _: Duration) {}
    pub(crate) fn ended(_: &Member, _: bool) {}
    pub(crate) fn stopping(_: Option<&Cause>, _: &[Arc<Member>]) {}
    pub(crate) fn stopping_already(_: &Cause) {}
    pub(crate) fn draining(_: &[Arc<Member>], _: Option<Instant>, _: Instant) {}
    pub(crate) fn forced(_: &Cause) {}
    pub(crate) fn cancelling(_: &[Arc<Member>]) {}
    pub(crate) fn abandoned(_: &[Arc<Member>]) {}
    pub(crate) fn outcome(_: &dyn Display) {}
}
