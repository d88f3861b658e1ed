//! Restart: a service that fails is run again, after a longer pause each time, until it has failed too
//! often.
//!
//! ```text
//! cargo run --example restart
//! ```
//!
//! Ends by itself, with an error; press Ctrl-C during a pause to end it before.

#[path = "support/help.rs"]
mod help;

use std::time::Duration;

use neap::{Group, Restart, restart, signal};
use smol::Timer;

fn main() -> Result<(), neap::Error> {
    help::on_request(include_str!("restart.rs"));
    let policy = Restart::on_failure()
        .intensity(4, Duration::from_secs(30))
        .backoff(Duration::from_millis(200), Duration::from_secs(2));

    let mut group = Group::new().stop_on(signal::termination()?);
    let mut run = 0;
    let flaky = restart(policy, move |_| {
        run += 1;
        println!("run {run}");
        async {
            Timer::after(Duration::from_millis(100)).await;
            Err("the connection was lost")
        }
    });
    group.add("flaky", flaky);
    println!("{}", smol::block_on(group.run())?);
    Ok(())
}
