//! Groups within a group: a failure in one stops the others, and the error names the path to it.
//!
//! ```text
//! cargo run --example nested
//! ```
//!
//! Ends by itself, with an error.

#[path = "support/help.rs"]
mod help;

use std::time::Duration;

use neap::{Group, Scope};
use smol::Timer;

async fn worker(scope: Scope<'_>) {
    let cause = scope.stopped().await;
    println!("{}: stopped by the {cause}", scope.name());
}

fn main() -> Result<(), neap::Error> {
    help::on_request(include_str!("nested.rs"));
    let mut reading = Group::new();
    reading.add("socket", worker);
    reading.add("decoder", async |_| {
        Timer::after(Duration::from_millis(100)).await;
        Err("no such code")
    });

    let mut writing = Group::new().drain_timeout(Duration::from_secs(2));
    writing.add("encoder", worker);

    let mut program = Group::new();
    program.add("reading", reading.into_service());
    program.add("writing", writing.into_service());
    println!("{}", smol::block_on(program.run())?);
    Ok(())
}
