//! What the service manager is told: messages of sd_notify(3).

use std::fmt::Write as _;
use std::time::Duration;

use sd_notify::NotifyState;

/// The longest text of a status, in bytes. The service manager ignores a message of more than a page.
const LONGEST_STATUS: usize = 1024;

/// What a message is about, which decides what it makes obsolete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The group has started.
    Ready,

    /// A reload has begun.
    Reloading,

    /// A reload is done.
    Reloaded,

    /// The group stops.
    Stopping,

    /// The group is alive.
    Alive,

    /// How the group is.
    Status,
}

/// One message: lines of sd_notify(3).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    kind: Kind,
    text: String,
}

impl Message {
    fn new(kind: Kind, states: &[NotifyState<'_>]) -> Message {
        let mut text = String::new();
        for state in states {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{state}");
        }
        Message { kind, text }
    }

    /// The group has started.
    pub(super) fn ready(status: &str) -> Message {
        let states = [NotifyState::Ready, NotifyState::Status(status)];
        Message::new(Kind::Ready, &states)
    }

    /// A reload has begun, at this moment of the monotonic clock.
    ///
    /// systemd 253 and later want to know when, and take a service that does not say it to have failed
    /// to reload. Earlier ones pass over a line that they do not know.
    pub(super) fn reloading(moment: NotifyState<'_>, status: &str) -> Message {
        let status = NotifyState::Status(status);
        Message::new(Kind::Reloading, &[NotifyState::Reloading, moment, status])
    }

    /// All reloads are done.
    pub(super) fn reloaded(status: &str) -> Message {
        let states = [NotifyState::Ready, NotifyState::Status(status)];
        Message::new(Kind::Reloaded, &states)
    }

    /// The group stops, and the next message comes within `patience`.
    pub(super) fn stopping(status: &str, patience: Duration) -> Message {
        let (status, patience) = (NotifyState::Status(status), extension(patience));
        Message::new(Kind::Stopping, &[NotifyState::Stopping, status, patience])
    }

    /// The group is alive.
    pub(super) fn alive() -> Message {
        Message::new(Kind::Alive, &[NotifyState::Watchdog])
    }

    /// How the group is.
    pub(super) fn status(status: &str) -> Message {
        Message::new(Kind::Status, &[NotifyState::Status(status)])
    }

    /// How the drain is, and that the next message comes within `patience`.
    pub(super) fn draining(status: &str, patience: Duration) -> Message {
        let states = [NotifyState::Status(status), extension(patience)];
        Message::new(Kind::Status, &states)
    }

    /// Returns true if an earlier message that was not sent is not to be sent any more.
    pub(super) fn replaces(&self, other: &Message) -> bool {
        match self.kind {
            Kind::Ready => false,
            // One that was not sent has the same status line.
            Kind::Alive | Kind::Status => other.kind == self.kind,
            // The service manager waits for the reload of the last signal.
            Kind::Reloading | Kind::Stopping => {
                matches!(other.kind, Kind::Reloading | Kind::Reloaded | Kind::Status)
            }
            Kind::Reloaded => matches!(other.kind, Kind::Reloaded | Kind::Status),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// Asks for so much time in which nothing need be said.
fn extension(patience: Duration) -> NotifyState<'static> {
    let micros = u32::try_from(patience.as_micros()).unwrap_or(u32::MAX);
    NotifyState::ExtendTimeoutUsec(micros)
}

/// Makes one line of a text of any kind, short enough for a message. A line break in the name of a
/// service would begin another line of the message.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for each in text.chars() {
        if line.len() + each.len_utf8() > LONGEST_STATUS {
            line.push('…');
            break;
        }
        line.push(if each.is_control() { ' ' } else { each });
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_line_and_has_an_end() {
        assert_eq!(one_line("a\nREADY=1\r\0"), "a READY=1  ");
        let long = one_line(&"ä".repeat(5000));
        assert!(long.len() <= LONGEST_STATUS + '…'.len_utf8());
        assert!(long.ends_with("ä…"));
    }

    #[test]
    fn time_is_asked_for_in_microseconds() {
        let text = |patience| Message::draining("x", patience).text;
        let second = text(Duration::from_secs(1));
        assert_eq!(second, "STATUS=x\nEXTEND_TIMEOUT_USEC=1000000\n");
        assert!(text(Duration::MAX).ends_with("=4294967295\n"));
    }

    #[test]
    fn what_is_obsolete_is_left_out() {
        let reloading = || Message::reloading(NotifyState::MonotonicUsec(1), "r");
        let patience = Duration::ZERO;
        assert!(reloading().replaces(&reloading()));
        assert!(reloading().replaces(&Message::reloaded("x")));
        assert!(!Message::reloaded("x").replaces(&reloading()));
        assert!(Message::stopping("x", patience).replaces(&reloading()));
        assert!(!Message::stopping("x", patience).replaces(&Message::ready("x")));
        assert!(Message::alive().replaces(&Message::alive()));
        assert!(!Message::alive().replaces(&Message::status("x")));
    }
}
