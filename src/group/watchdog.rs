//! A thread that ends the process if the group cannot.

use std::io;
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crate::members::core::Core;
use crate::outcome::status::Status;
use crate::service::state::State;
use crate::time::deadline_after;

/// The exit code of a process that its [watchdog](crate::Handle::watchdog) ended: 124, which is
/// what timeout(1) says of a command that it had to end.
pub const WATCHDOG_EXIT_CODE: i32 = 124;

/// The stack of the thread, in bytes: it sleeps, and once formats a few lines.
const STACK: usize = 128 * 1024;

/// Starts the thread.
pub(super) fn start(core: &Arc<Core>) -> io::Result<()> {
    let core = Arc::clone(core);
    thread::Builder::new()
        .name("neap-watchdog".into())
        .stack_size(STACK)
        .spawn(move || watch(&core))
        .map(drop)
}

/// Waits for the end of the group, and after the stop no longer than it should take.
fn watch(core: &Core) {
    core.token().wait_blocking();
    let ended = core.ending.token();
    while !ended.is_stopped() {
        // Without a deadline of the drain, or a limit of the cancel, there is no limit.
        let Some(deadline) = core.deadline() else {
            return;
        };
        // By then the group has been polled again, if it still can be: past that it is stuck.
        let due = core.due().map_or(deadline, |due| due.max(deadline));
        let Some(end) = deadline_after(due, core.timeouts.cancel()) else {
            return;
        };
        let left = end.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            ended.wait_blocking_timeout(left);
        } else if !ended.is_stopped() {
            give_up(core);
        }
    }
}

/// Prints which services have not ended, and ends the process.
fn give_up(core: &Core) -> ! {
    let status = Status::new(core, &core.registry.snapshot());
    let left = status.services().iter();
    let left = left.filter(|one| !matches!(one.state(), State::Ended | State::Waiting));
    eprintln!("neap: a service blocks the executor, and the group cannot end; still there:");
    for one in left {
        let (name, state, place) = (one.name(), one.state(), one.location());
        eprintln!(
            "  `{name}` {state} for {:.1?}, added at {place}",
            one.lasting()
        );
    }
    process::exit(WATCHDOG_EXIT_CODE)
}
