//! A group on async-std: each service is a task of async-std's.
//!
//! ```text
//! cargo run --example async_std
//! ```
//!
//! Ends by itself after half a second, with the error of a service; press Ctrl-C to end it before.

#[path = "support/help.rs"]
mod help;

use std::time::Duration;

use async_std::task;
use neap::{Group, signal};

fn main() -> Result<(), neap::Error> {
    help::on_request(include_str!("async_std.rs"));
    task::block_on(async {
        let mut group = Group::on(task::spawn).stop_on(signal::termination()?);
        group.add("server", async move |scope| {
            println!("server: stopped by the {}", scope.stopped().await);
        });
        group.race("timer", async {
            task::sleep(Duration::from_millis(500)).await;
            Err("time is up")
        });
        println!("{}", group.run().await?);
        Ok(())
    })
}
