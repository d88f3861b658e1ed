//! A service that does not listen to the stop: it is named, and cancelled at the deadline.
//!
//! ```text
//! cargo run --example straggler
//! ```
//!
//! Press Ctrl-C: `poller` ends at once, `mailer` does not. It is dropped after the drain timeout of 3 s, and
//! the exit code is 1. Press Ctrl-C again to cancel at once.

#[path = "support/help.rs"]
mod help;

use std::time::Duration;

use neap::{Error, Group, signal};
use smol::Timer;

fn main() -> Result<(), Error> {
    help::on_request(include_str!("straggler.rs"));
    let mut group = Group::new()
        .narrate()
        .drain_timeout(Duration::from_secs(3))
        .stop_on(signal::termination()?);
    group.race("poller", async {
        loop {
            Timer::after(Duration::from_millis(100)).await;
        }
    });
    group.add("mailer", async move |scope| {
        eprintln!("press Ctrl-C");
        scope.waits_for(|| "no answer of the mail server".into());
        Timer::after(Duration::from_secs(60)).await;
    });
    smol::block_on(group.run())?;
    Ok(())
}
