//! A group on smol: each service is a task of its own on smol's executor.
//!
//! ```text
//! cargo run --example smol
//! ```
//!
//! Ends by itself after a second; press Ctrl-C to end it before.

#[path = "support/help.rs"]
mod help;

use std::time::Duration;

use neap::{Group, OnExit, Scope, signal};
use smol::Timer;

/// Prints a line every 300 ms until the stop.
async fn ticker(scope: Scope<'static>) {
    while scope
        .run_until_stopped(Timer::after(Duration::from_millis(300)))
        .await
        .is_some()
    {
        println!("tick");
    }
    println!("ticker: stopped by the {}", scope.stopped().await);
}

fn main() -> Result<(), neap::Error> {
    help::on_request(include_str!("smol.rs"));
    smol::block_on(async {
        let mut group = Group::on(smol::spawn).stop_on(signal::termination()?);
        group.add("ticker", ticker);
        group
            .add("job", async |_| {
                Timer::after(Duration::from_secs(1)).await;
                println!("job: done");
            })
            .on_exit(OnExit::Stop);
        println!("{:#}", group.run().await?);
        Ok(())
    })
}
