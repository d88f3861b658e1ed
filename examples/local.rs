//! Services that are not `Send`: they share an `Rc`, and stay on one thread.
//!
//! ```text
//! cargo run --example local
//! ```
//!
//! Ends by itself. In place a `LocalGroup` needs no executor. On smol's local executor, or on a
//! runtime of one thread such as compio, monoio or glommio, each service is a task of its own.

#[path = "support/help.rs"]
mod help;

use std::cell::Cell;
use std::rc::Rc;

use neap::{Group, LocalGroup};
use smol::LocalExecutor;

/// Adds services that count together.
fn add_counters(mut group: LocalGroup<'_>) -> LocalGroup<'_> {
    let count = Rc::new(Cell::new(0));
    for name in ["first", "second", "third"] {
        let count = Rc::clone(&count);
        group.add(name, async move |scope| {
            count.set(count.get() + 1);
            println!("{} counts {}", scope.name(), count.get());

            // A child need not be `Send` either.
            scope.spawn(async move { count.set(count.get() + 10) });
        });
    }
    group
}

fn main() -> Result<(), neap::Error> {
    help::on_request(include_str!("local.rs"));
    println!("{}", smol::block_on(add_counters(Group::local()).run())?);

    let executor = LocalExecutor::new();
    let run = add_counters(Group::local()).run_on(|task| executor.spawn(task));
    println!("{}", smol::block_on(executor.run(run))?);
    Ok(())
}
