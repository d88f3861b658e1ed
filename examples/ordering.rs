//! Order: a database, a server that needs it, and jobs that need both. They start in this order and stop
//! in the reverse one. The plan is printed first.
//!
//! ```text
//! cargo run --example ordering
//! ```
//!
//! Press Ctrl-C once all are ready.

#[path = "support/help.rs"]
mod help;

use std::time::Duration;

use neap::{Group, Scope, signal};
use smol::Timer;

/// A service that takes a while to be ready, and a while to end.
async fn service(scope: Scope<'_>) {
    scope.starting();
    println!("{}: starting", scope.name());
    Timer::after(Duration::from_millis(300)).await;
    scope.ready();

    println!("{}: ready", scope.name());
    scope.stopped().await;
    Timer::after(Duration::from_millis(300)).await;
    println!("{}: ended", scope.name());
}

fn main() -> Result<(), neap::Error> {
    help::on_request(include_str!("ordering.rs"));
    let mut group = Group::new().stop_on(signal::termination()?);
    let db = group
        .add("db", service)
        .start_timeout(Duration::from_secs(5))
        .id();
    let http = group.add("http", service).needs(db).id();
    group.add("jobs", service).needs(db).needs(http);
    println!("{group}\n");

    let handle = group.handle();
    group.race("announcer", async move {
        if handle.started().await.is_ok() {
            println!("all are ready: press Ctrl-C");
        }
    });
    println!("{}", smol::block_on(group.run())?);
    Ok(())
}
