//! The state of a running group, the stop of a single service, and a watchdog.
//!
//! ```text
//! cargo run --example status
//! ```
//!
//! Ends by itself after a second.

#[path = "support/help.rs"]
mod help;

use std::time::Duration;

use neap::{Group, OnExit, Scope};
use smol::Timer;

async fn worker(scope: Scope<'static>) {
    scope.spawn(async {
        Timer::after(Duration::from_millis(700)).await;
    });
    scope.stopped().await;
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    help::on_request(include_str!("status.rs"));
    let mut group = Group::new();
    group.add("mail", worker);
    let cache = group.add("cache", worker).id();
    let handle = group.handle();
    // If a service blocks this thread past the drain, the watchdog ends the process.
    handle.watchdog()?;
    group
        .add("operator", async move |_| {
            for round in 0..4 {
                Timer::after(Duration::from_millis(250)).await;
                println!("{}\n", handle.status());
                if round == 0 {
                    // It drains: its child runs on until it is done.
                    handle.stop_one(cache);
                }
            }
        })
        .on_exit(OnExit::Stop);
    println!("{:#}", smol::block_on(group.run())?);
    Ok(())
}
