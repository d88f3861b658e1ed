//! Ctrl-C twice: the first stops the group, and the second cancels it.
//!
//! ```text
//! cargo run --features log --example ctrl_c_twice
//! ```
//!
//! Press Ctrl-C, see in the log which service is draining, and press it again. A third would end the
//! process even if its executor were stuck.

#[path = "support/help.rs"]
mod help;

use std::time::Duration;

use neap::{Group, signal};

/// Prints a line when it is dropped.
struct Transaction;

impl Drop for Transaction {
    fn drop(&mut self) {
        eprintln!("transaction: rolled back");
    }
}

fn main() -> Result<(), neap::Error> {
    help::on_request(include_str!("ctrl_c_twice.rs"));
    env_logger::Builder::from_default_env()
        .filter_module("neap", log::LevelFilter::Info)
        .init();
    let mut group = Group::new()
        .drain_timeout(Duration::from_secs(60))
        .stop_on(signal::termination()?);
    group.add("import", async move |scope| {
        let _transaction = Transaction;
        eprintln!("import: press Ctrl-C");
        scope.stopped().await;
        eprintln!("import: this takes another minute");
        smol::Timer::after(Duration::from_secs(60)).await;
    });
    println!("{}", smol::block_on(group.run())?);
    Ok(())
}
