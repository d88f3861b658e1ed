//! What a service manager says in the environment, taken once.

use std::env;
use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// True once a group has taken what is there.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// What a service manager says of this process.
pub(super) struct Environment {
    /// Where it wants to be told how the process is: `NOTIFY_SOCKET`.
    pub(super) socket: OsString,

    /// How often it wants to hear from it: `WATCHDOG_USEC`, unless `WATCHDOG_PID` is another process.
    pub(super) watchdog: Option<Duration>,
}

impl Environment {
    /// Takes what the environment says. `None` if that is nothing, or was taken before: the process has
    /// one state, and one group is to tell it.
    pub(super) fn take() -> Option<Environment> {
        if IS_TAKEN.swap(true, Ordering::Relaxed) {
            log::debug!(target: "neap", event = "systemd"; "another group tells systemd how this process is");
            return None;
        }
        let socket = env::var_os("NOTIFY_SOCKET").filter(|socket| !socket.is_empty());
        if socket.is_none() {
            log::debug!(target: "neap", event = "systemd"; "nobody wants to be told how this process is: NOTIFY_SOCKET is not set");
        }
        Some(Environment {
            socket: socket?,
            watchdog: watchdog(),
        })
    }
}

/// Returns how long the service manager waits for a sign of life; `None` if it does not.
fn watchdog() -> Option<Duration> {
    let timeout = sd_notify::watchdog_enabled();
    let said = env::var_os("WATCHDOG_USEC");
    let is_number = |text: &str| text.parse::<u64>().is_ok_and(|micros| micros > 0);
    if let Some(said) = said.filter(|said| !said.to_str().is_some_and(is_number)) {
        log::warn!(target: "neap", event = "systemd"; "WATCHDOG_USEC is no number of microseconds: {}", said.to_string_lossy());
    }
    timeout.filter(|timeout| !timeout.is_zero())
}
