//! A thread that ends the process if the group cannot.

use std::io;
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crate::hub::{Hub, after};
use crate::roster::Roster;
use crate::{Handle, State, Status};

/// The exit code of a process that its [watchdog](Handle::watchdog) ended: 124, which is what
/// timeout(1) says of a command that it had to end.
pub const STUCK: i32 = 124;

/// How much of a stack the thread gets: it sleeps, and once formats a few lines.
const STACK: usize = 128 * 1024;

impl Handle<'_> {
    /// Starts a thread that ends the process, with exit code [`STUCK`], if a service blocks the
    /// executor for so long after the stop that the group cannot end itself.
    ///
    /// That is when the drain timeout and the cancel timeout have passed and whoever awaits the
    /// group has not been polled when it was due: a service in place blocks its thread, and with
    /// it the group. (On an executor of several threads such a service is
    /// [abandoned](crate::Exit::Abandoned), and the group ends.) The thread then says on standard
    /// error which services have not ended. It does nothing before the stop, or if the drain may
    /// take for ever, and is gone once the group is.
    ///
    /// The clock is the real one. The stop has to be latched for this to count: a signal that
    /// arrives when the executor is blocked already is not heard by the group, and so not by this;
    /// the third one ends the process.
    ///
    /// # Errors
    ///
    /// If the thread cannot be started.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.handle().watchdog()?;
    /// group.add("server", |_| async {});
    /// future::block_on(group.run())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn watchdog(&self) -> io::Result<()> {
        let (hub, roster) = (Arc::clone(&self.hub), Arc::clone(&self.roster));
        thread::Builder::new()
            .name("neap-watchdog".into())
            .stack_size(STACK)
            .spawn(move || watch(&hub, &roster))
            .map(drop)
    }
}

/// Waits for the end of the group, and after the stop no longer than it should take.
fn watch(hub: &Hub, roster: &Roster) {
    hub.token().wait_blocking();
    let over = hub.over();
    while !over.is_stopped() {
        // None of the two has a limit: so there is none.
        let Some(limit) = hub.deadline() else {
            return;
        };
        // By then the group has been polled again, if it still can be: past that it is stuck.
        let due = hub.due().map_or(limit, |due| due.max(limit));
        let Some(end) = after(due, hub.cancel_timeout()) else {
            return;
        };
        let left = end.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            over.wait_blocking_timeout(left);
        } else if !over.is_stopped() {
            give_up(hub, roster);
        }
    }
}

/// Says who has not ended, and ends the process.
fn give_up(hub: &Hub, roster: &Roster) -> ! {
    let status = Status::new(hub, &roster.snapshot());
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
    process::exit(STUCK)
}
