//! A limit: ten jobs, three at a time, in a nested group; and a table of their states.
//!
//! ```text
//! cargo run --example limit
//! ```
//!
//! Ends by itself; press Ctrl-C to end it before: then the jobs that wait are not started.

#[path = "support/help.rs"]
mod help;

use std::time::Duration;

use neap::{Group, signal};
use smol::Timer;

fn main() -> Result<(), neap::Error> {
    help::on_request(include_str!("limit.rs"));
    let mut jobs = Group::new().limit(3);
    for job in 0..10 {
        jobs.add(format!("job {job}"), async |_| {
            Timer::after(Duration::from_millis(500)).await;
        });
    }
    let handle = jobs.handle();

    let mut group = Group::new().stop_on(signal::termination()?);
    group.add("jobs", jobs.into_service());
    group
        .race("status", async move {
            loop {
                Timer::after(Duration::from_millis(700)).await;
                println!("{}\n", handle.status());
            }
        })
        .background();
    println!("{}", smol::block_on(group.run())?);
    Ok(())
}
