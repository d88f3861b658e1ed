//! What a group says of its services, from their start to their end.

#[cfg(any(feature = "net", feature = "systemd"))]
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "log")]
use log::{Level, log, log_enabled};

use super::heard::since_start;
use crate::executor::panic::catch;
use crate::members::core::{Core, Member};
use crate::members::narrator::{Role, print};
use crate::members::unready::Unready;
use crate::service::exit::Exit;
use crate::stop::force::Elapsed;

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

/// Tells that a service manager could not be told how the group is.
#[cfg(all(unix, feature = "systemd"))]
pub(crate) fn not_notified(core: &Core, address: &str, error: &dyn Display) {
    tell!(
        core,
        Role::Within,
        Warn,
        format_args!(
            "systemd cannot be told how this process is, at `{address}` (NOTIFY_SOCKET): {error}"
        ),
        event = "systemd",
        address
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
        let text = format!("{text}; which is ignored");
        tell!(
            core,
            Role::Within,
            Warn,
            &text,
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
