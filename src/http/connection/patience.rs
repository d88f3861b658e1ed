//! How long a connection waits for its peer to close.

use std::time::{Duration, Instant};

use crate::http::settings::Settings;
use crate::time::time_source::deadline_from;

/// How long a peer may go on sending after the server has closed its side, and taking nothing.
pub(super) const LONGEST_LINGER: Duration = Duration::from_secs(2);
/// How often the server looks whether a peer takes what was written to it.
const LOOK: Duration = Duration::from_millis(100);

/// How long a connection waits for its peer to close, once the server has closed its own side.
///
/// - A peer that has taken all, and sends nothing, has the linger time of the settings.
/// - One that has not taken all is waited for: a close would take the rest from it, if it sends a byte.
/// - One that sends, but takes nothing more, has 2 s; so has one that takes nothing.
/// - One that takes the rest slowly has the write timeout in all.
///
/// The system is asked what the peer has taken only when a time is over, or when the peer still sends:
/// mostly it closes before.
#[derive(Debug)]
pub(super) struct Patience {
    /// The linger time of the settings.
    quiet: Duration,
    /// When it ends in any case.
    end: Instant,
    /// When the peer has last sent or taken a byte, as far as it is known.
    last_sign: Instant,
    /// Since when the peer has taken nothing, as far as it is known.
    stalled_since: Instant,
    /// What the last look has found: when it was, and how many bytes were not taken.
    seen: Option<(Instant, usize)>,
}

impl Patience {
    /// Begins now.
    pub(super) fn new(settings: &Settings, now: Instant) -> Self {
        Self {
            quiet: settings.linger,
            end: deadline_from(now, settings.write_timeout.max(LONGEST_LINGER)),
            last_sign: now,
            stalled_since: now,
            seen: None,
        }
    }

    /// Notes that the peer has sent something. Returns true if it is time to look.
    pub(super) fn hear(&mut self, now: Instant) -> bool {
        self.last_sign = now;
        self.seen.is_none() || now >= self.limit()
    }

    /// Returns when it is time to look, if the peer sends nothing before.
    pub(super) fn next_look(&self) -> Instant {
        let quiet = deadline_from(self.last_sign, self.quiet);
        let next = match self.seen {
            Some((seen_at, 1..)) => quiet.max(seen_at + LOOK),
            _ => quiet,
        };
        next.min(self.limit())
    }

    /// Notes how many bytes the peer has not taken. Returns true if it is waited for no longer.
    pub(super) fn look(&mut self, now: Instant, unsent: usize) -> bool {
        let before = self.seen.replace((now, unsent));
        if before.is_some_and(|(_, before)| unsent < before) {
            (self.last_sign, self.stalled_since) = (now, now);
        }
        let is_quiet = now >= deadline_from(self.last_sign, self.quiet);
        now >= self.limit() || unsent == 0 && is_quiet
    }

    /// Returns until when a peer is waited for that takes nothing from now on.
    fn limit(&self) -> Instant {
        self.end.min(self.stalled_since + LONGEST_LINGER)
    }
}
