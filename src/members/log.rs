//! What a group says about its services.
//!
//! If the feature `log` is on, as records of the `log` crate. Their target is `neap`. Each has a key
//! `event`, and `service` where it is about one. A change of these or of the wording has a line in
//! the changelog. If the group [narrates](crate::Group::narrate), what no logger takes is printed
//! on standard error, but for the start and the end of each service. Times are counted from the
//! start of the group, those of a drain from when the service was told to stop.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "log")]
use log::{Level, log, log_enabled};

use super::core::{Core, Member};
use super::narrator::{Role, print};
use super::notices::Notice;
use super::unready::Unready;
#[cfg(feature = "log")]
use super::waiting::count_running;
use super::waiting::{Names, Waiting, is_any_running};
use crate::executor::panic::catch;
use crate::service::exit::Exit;
use crate::stop::cause::Cause;
use crate::stop::force::{Elapsed, Force, Seconds};

/// Hands a record to the logger, which is the user's: a panic of it ends here. True if the logger
/// takes records of this level.
macro_rules! record {
    ($level:ident, $text:expr, $($keys:tt)+) => {{
        #[cfg(feature = "log")]
        let is_taken = catch(|| {
            let is_taken = log_enabled!(target: "neap", Level::$level);
            if is_taken {
                log!(target: "neap", Level::$level, $($keys)+; "{}", $text);
            }
            is_taken
        })
        .unwrap_or(true);
        #[cfg(not(feature = "log"))]
        let is_taken = {
            // The text is used, and not made.
            let _ = || _ = &$text;
            false
        };
        is_taken
    }};
}

/// Does as [`record!`], and prints the text if no logger takes it and the group tells such. True if
/// either was done.
macro_rules! tell {
    ($core:expr, $role:expr, $level:ident, $text:expr, $($keys:tt)+) => {{
        if record!($level, $text, $($keys)+) {
            true
        } else if $core.narrator.tells($role) {
            let _ = catch(|| print(&$text));
            true
        } else {
            false
        }
    }};
}

/// Returns true if nothing that is told is heard: what it takes to tell is left out.
fn is_unheard(core: &Core) -> bool {
    !cfg!(feature = "log") && !core.narrator.tells(Role::Within)
}

/// Returns who tells of the stop of a group: the outer one, if it is stopped too.
fn teller(core: &Core) -> Role {
    if core.is_outer_stopped() {
        Role::Group
    } else {
        Role::Within
    }
}

/// Returns a time as counted from the start of the group.
fn since_start(member: &Member, at: u64) -> Duration {
    let opened = member.host.readiness.opened_at().unwrap_or(at);
    Duration::from_nanos(at.saturating_sub(opened))
}

pub(crate) fn started(member: &Member) {
    let name = member.name();
    record!(
        Info,
        format_args!("`{name}` started"),
        event = "started",
        service = name
    );
}

pub(crate) fn ready(member: &Member) {
    if cfg!(feature = "log") {
        let name = member.name();
        let after = since_start(member, member.host.timeline.now());
        record!(
            Info,
            format_args!("`{name}` ready after {}", Elapsed(after)),
            event = "ready",
            service = name
        );
    }
}

/// Tells which services are not ready, each with whether to say where it was added.
pub(crate) fn still_starting(core: &Core, members: &[(Arc<Member>, bool)]) {
    let text = Unready { core, members };
    tell!(core, Role::Within, Warn, text, event = "still starting");
}

pub(crate) fn ready_late(member: &Member) {
    let name = member.name();
    tell!(
        member.host,
        Role::Within,
        Warn,
        format_args!(
            "`{name}` was taken for ready at its first poll, as it did not call `starting`"
        ),
        event = "ready late",
        service = name
    );
}

/// Tells where a server listens.
#[cfg(feature = "net")]
pub(crate) fn listening(member: &Member, address: &dyn Display) {
    let name = member.name();
    tell!(
        member.host,
        Role::Within,
        Info,
        format_args!("`{name}` listens on {address}"),
        event = "listening",
        service = name,
        address:%
    );
}

/// Tells of a failure with all its causes. It displays an error of the user's: a panic of that goes
/// to the caller.
pub(crate) fn failed(member: &Member, exit: &Exit) {
    let (core, is_ignored) = (&member.host, member.data.ignores_failures());
    #[cfg(feature = "log")]
    let is_logged =
        log_enabled!(target: "neap", if is_ignored { Level::Warn } else { Level::Error });
    #[cfg(not(feature = "log"))]
    let is_logged = false;
    if !is_logged && !core.narrator.tells(Role::Within) {
        return;
    }
    let name = member.name();
    let text = format!("`{name}` {exit:#}");
    if is_ignored {
        let text = format_args!("{text}; which is ignored");
        tell!(
            core,
            Role::Within,
            Warn,
            text,
            event = "failed",
            service = name
        );
    } else {
        tell!(
            core,
            Role::Within,
            Error,
            &text,
            event = "failed",
            service = name
        );
    }
}

pub(crate) fn source_panicked(core: &Core, message: &str) {
    tell!(
        core,
        Role::Within,
        Error,
        format_args!("a source of stops panicked: {message}"),
        event = "source panicked"
    );
}

pub(crate) fn restarting(member: &Member, end: &Exit, delay: Duration) {
    let name = member.name();
    tell!(
        member.host,
        Role::Within,
        Warn,
        format_args!("`{name}` {end:#}; restarting it in {}", Elapsed(delay)),
        event = "restarting",
        service = name
    );
}

pub(crate) fn ended(member: &Member, finished: bool) {
    if !cfg!(feature = "log") || member.data.started().is_none() {
        return;
    }
    if let Some(at) = member.data.ended() {
        let (name, after) = (member.name(), since_start(member, at));
        let how = match finished {
            true => "ended",
            false if member.was_cancelled() => "cancelled",
            false => "stopped",
        };
        record!(
            Info,
            format_args!("`{name}` {how} after {}", Elapsed(after)),
            event = how,
            service = name
        );
    }
}

/// Tells of the stop of a group. `may_repeat` returns true if a cause may come a second time, which
/// cancels.
pub(crate) fn stopping(core: &Core, may_repeat: impl Fn(&Cause) -> bool) {
    if let Some(cause) = core.cause().filter(|cause| *cause != Cause::Ended) {
        tell!(
            core,
            teller(core),
            Info,
            Stopping {
                core,
                cause: &cause,
                may_repeat: may_repeat(&cause)
            },
            event = "stopping",
            cause:%,
            running = count_running(core)
        );
    }
}

/// Who is waited for, and until when.
struct Stopping<'c> {
    core: &'c Core,
    cause: &'c Cause,

    /// True if a second such cause would cancel.
    may_repeat: bool,
}

impl Display for Stopping<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let core = self.core;
        write!(f, "stopping: {}", self.cause)?;
        // It promises no wait that will not be.
        if !is_any_running(core) || core.notices.has(Notice::Cancel) {
            return Ok(());
        }
        match core.drain_limit() {
            Some(Duration::ZERO) => return Ok(()),
            Some(limit) => write!(f, "; waiting up to {} for {}", Seconds(limit), Names(core))?,
            None => write!(f, "; waiting for {}", Names(core))?,
        }
        f.write_str(if self.may_repeat {
            "; another cancels"
        } else {
            ""
        })
    }
}

pub(crate) fn stopping_already(core: &Core, cause: &Cause) {
    tell!(
        core,
        Role::Group,
        Info,
        format_args!("stopping already, so {cause} changes nothing; another cancels"),
        event = "stopping already",
        cause:%
    );
}

/// Tells once a second what the drain waits for, at first with where that was added. A nested group leaves it to the outer one, if that
/// drains too: there is one record for all.
pub(crate) fn draining(core: &Core) {
    if is_unheard(core) || core.is_outer_stopped() || !is_any_running(core) {
        return;
    }
    let text = Draining(core);
    let is_heard = if text.is_late() {
        tell!(core, Role::Within, Warn, text, event = "still draining")
    } else {
        tell!(core, Role::Within, Info, text, event = "still draining")
    };
    if is_heard {
        core.narrator.note_places();
    }
}

/// What a drain waits for, and when it ends.
struct Draining<'c>(&'c Core);

impl Draining<'_> {
    /// Returns how long the drain may still take; `None` if it is forever.
    fn left(&self) -> Option<Duration> {
        let now = self.0.timeline.now_instant();
        Some(self.0.deadline()?.saturating_duration_since(now))
    }

    /// Returns true once half of the time is over.
    fn is_late(&self) -> bool {
        let (left, limit) = (self.left(), self.0.drain_limit());
        left.zip(limit)
            .is_some_and(|(left, limit)| left < limit / 2)
    }
}

impl Display for Draining<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "still draining: {}", Waiting::new(self.0))?;
        let left = self.left();
        left.map_or(Ok(()), |left| write!(f, "; cancelled in {}", Elapsed(left)))
    }
}

pub(crate) fn cancelling(core: &Core, force: &Force) {
    if !is_unheard(core) && is_any_running(core) {
        let is_heard = tell!(
            core,
            teller(core),
            Warn,
            format_args!("cancelling {}: {}", Why(force), Waiting::new(core)),
            event = "cancelling",
            force:%
        );
        if is_heard {
            core.narrator.note_places();
        }
    }
}

pub(crate) fn cancelling_one(member: &Member, force: &Force) {
    let name = member.name();
    tell!(
        member.host,
        teller(&member.host),
        Warn,
        format_args!("cancelling `{name}` {}", Why(force)),
        event = "cancelling",
        service = name,
        force:%
    );
}

/// Why services are cancelled, as the end of a sentence.
struct Why<'f>(&'f Force);

impl Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Force::Timeout(timeout) => {
                write!(f, "as the drain timeout of {} is over", Seconds(*timeout))
            }
            force => write!(f, "by {force}"),
        }
    }
}

pub(crate) fn abandoned(core: &Core) {
    tell!(
        core,
        Role::Group,
        Error,
        format_args!(
            "abandoned, as they block their thread or had no turn: {}",
            Waiting::new(core)
        ),
        event = "abandoned"
    );
}

pub(crate) fn abandoned_one(member: &Member) {
    let name = member.name();
    tell!(
        member.host,
        Role::Within,
        Error,
        format_args!("abandoned, as it blocks its thread or had no turn: `{name}`"),
        event = "abandoned",
        service = name
    );
}

/// Tells how a group ended; one that is nested tells the outer one alone.
pub(crate) fn outcome(core: &Core, outcome: &dyn Display) {
    if core.is_nested() {
        record!(Debug, outcome, event = "outcome");
    } else {
        tell!(core, Role::Group, Info, outcome, event = "outcome");
    }
}
