//! What a group says from its stop to its end.

use std::fmt::{self, Display};
use std::time::Duration;

#[cfg(feature = "log")]
use log::{Level, log, log_enabled};

use super::heard::{is_unheard, teller};
use crate::executor::panic::catch;
use crate::members::core::{Core, Member};
use crate::members::narrator::{Role, print};
use crate::members::notices::Notice;
#[cfg(feature = "log")]
use crate::members::waiting::count_running;
use crate::members::waiting::{Names, Waiting, is_any_running};
use crate::stop::cause::Cause;
use crate::stop::force::{Elapsed, Force, Seconds};

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
