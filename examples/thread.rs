//! A thread as a service: blocking code that waits for the stop with a token.
//!
//! ```text
//! cargo run --example thread
//! ```
//!
//! Ends by itself; press Ctrl-C to end it before.

#[path = "support/help.rs"]
mod help;

use std::time::Duration;

use neap::{Group, OnExit, StopToken, signal};
use smol::{Timer, unblock};

/// Blocks its thread, and checks for the stop every 100 ms.
fn poll_a_device(token: &StopToken) -> Result<(), std::io::Error> {
    while token
        .wait_blocking_timeout(Duration::from_millis(100))
        .is_none()
    {
        println!("device: nothing new");
    }
    println!("device: closing");
    Ok(())
}

fn main() -> Result<(), neap::Error> {
    help::on_request(include_str!("thread.rs"));
    let mut group = Group::new().stop_on(signal::termination()?);
    group.add("device", |scope| {
        let token = scope.token();
        unblock(move || poll_a_device(&token))
    });
    group
        .add("job", async |_| {
            Timer::after(Duration::from_millis(350)).await;
        })
        .on_exit(OnExit::Stop);
    println!("{}", smol::block_on(group.run())?);
    Ok(())
}
