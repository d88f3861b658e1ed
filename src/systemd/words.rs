//! How a group is, in words, for the status that systemctl(1) shows.

use std::time::Instant;

use crate::group::handle::Handle;
use crate::members::waiting::Awaited;
use crate::stop::force::Seconds;

/// The group has started: `running: 3 services`.
pub(super) fn running(handle: &Handle<'_>) -> String {
    let status = handle.status();
    let running = status.services().iter();
    let running = running.filter(|one| one.state().is_running()).count();
    match running {
        1 => "running: 1 service".into(),
        _ => format!("running: {running} services"),
    }
}

/// It starts: ``starting: waits for `db`, `http` ``.
pub(super) fn starting(handle: &Handle<'_>) -> String {
    let awaited = Awaited::new(handle.core(), |service| !service.is_up());
    phrase("starting", &awaited.to_string())
}

/// It drains: ``draining after SIGTERM: waits for `http` (2 connections), 3 of 10 s``.
pub(super) fn draining(handle: &Handle<'_>, since: Instant) -> String {
    let core = handle.core();
    let cancelled = Awaited::new(core, |service| {
        service.is_running() && service.is_cancelled()
    });
    let cancelled = cancelled.to_string();
    if !cancelled.is_empty() {
        return phrase("cancelling", &cancelled);
    }
    let what = match handle.cause() {
        Some(cause) => format!("draining after {cause}"),
        None => "draining".into(),
    };
    // Those that others need, and the background, are told to stop later.
    let awaited = Awaited::new(core, |service| service.is_running() && service.is_stopped());
    let awaited = awaited.to_string();
    let elapsed = core
        .timeline
        .now_instant()
        .saturating_duration_since(since)
        .as_secs();
    let line = phrase(&what, &awaited);
    match core.drain_limit() {
        Some(limit) => format!("{line}, {elapsed} of {}", Seconds(limit)),
        None => format!("{line}, {elapsed}s"),
    }
}

/// It has ended: `stopped by SIGTERM`.
pub(super) fn stopped(handle: &Handle<'_>) -> String {
    match handle.cause() {
        Some(cause) => format!("stopped by {cause}"),
        None => "stopped".into(),
    }
}

fn phrase(what: &str, awaited: &str) -> String {
    match awaited {
        "" => what.into(),
        awaited => format!("{what}: waits for {awaited}"),
    }
}
