//! A thread that ends the process if the group cannot.
//!
//! When it is needed, anything may be stuck: the services, standard error, the allocator's lock. So
//! the thread that ends the process does nothing else, and has all it needs from its start. What
//! is printed before is printed by a second thread, which is waited for only so long.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::members::core::Core;
use crate::outcome::status::Status;
use crate::service::state::State;
use crate::time::deadline_after;

/// The exit code of a process that its [watchdog](crate::Handle::watchdog) ended: 124, which is
/// what timeout(1) says of a command that it had to end.
pub const WATCHDOG_EXIT_CODE: i32 = 124;

/// The stack of each thread, in bytes: one sleeps, the other formats a few lines.
const STACK: usize = 128 * 1024;

/// How long the process is kept for the report.
const REPORT_TIMEOUT: Duration = Duration::from_millis(200);

/// Starts the threads.
pub(super) fn start(core: &Arc<Core>) -> io::Result<()> {
    let (watched, reported) = (Arc::clone(core), Arc::clone(core));
    let reporter = spawn("neap-watchdog-report", move || {
        // Unparked once, at the end of the group or for the report.
        thread::park();
        if !reported.ending.has_ended() {
            report(&reported);
        }
    })?;
    spawn("neap-watchdog", move || watch(&watched, &reporter)).map(drop)
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<Thread> {
    let builder = thread::Builder::new().name(name.into()).stack_size(STACK);
    builder.spawn(run).map(|handle| handle.thread().clone())
}

/// Waits for the end of the group, and after the stop no longer than it should take.
fn watch(core: &Core, reporter: &Thread) {
    core.token().wait_blocking();
    let ended = core.ending.token();
    while !ended.is_stopped() {
        // Without a deadline of the drain, or a limit of the cancel, there is no limit.
        let Some(limit) = limit(core) else {
            break;
        };
        let left = limit.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            ended.wait_blocking_timeout(left);
        } else if !ended.is_stopped() {
            reporter.unpark();
            thread::sleep(REPORT_TIMEOUT);
            end_process();
        }
    }
    reporter.unpark();
}

/// Returns by when the group has ended, or has been polled again if it still can be.
fn limit(core: &Core) -> Option<Instant> {
    let deadline = core.deadline()?;
    let due = core.due().map_or(deadline, |due| due.max(deadline));
    deadline_after(due, core.timeouts.cancel())
}

/// Prints which services have not ended, as far as it can.
fn report(core: &Core) {
    let status = Status::new(core, &core.registry.snapshot());
    let left = status.services().iter();
    let left = left.filter(|one| !matches!(one.state(), State::Ended | State::Waiting));
    let mut lines =
        String::from("neap: a service blocks the executor, and the group cannot end; still there:");
    for one in left {
        let (name, state, place) = (one.name(), one.state(), one.location());
        let lasting = one.lasting();
        // Writing to a string does not fail.
        let _ = write!(
            lines,
            "\n  `{name}` {state} for {lasting:.1?}, added at {place}"
        );
    }
    // Nothing can be done about standard error that is closed.
    let _ = writeln!(io::stderr(), "{lines}");
}

/// Ends the process at once: no handlers of atexit(3) run, which may wait for a lock.
#[cfg(unix)]
#[allow(unsafe_code)]
fn end_process() -> ! {
    // SAFETY: _exit(2) takes a number and does not return; signal-safety(7) lists it.
    unsafe { libc::_exit(WATCHDOG_EXIT_CODE) }
}

/// Ends the process, with what is registered to run then: there is no other way with a code.
#[cfg(not(unix))]
fn end_process() -> ! {
    std::process::exit(WATCHDOG_EXIT_CODE)
}
