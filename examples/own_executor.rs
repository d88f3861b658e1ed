//! A group on an executor that the program makes itself, here with named threads.
//!
//! ```text
//! cargo run --example own_executor
//! ```
//!
//! Ends by itself. A group can be on anything that runs futures to their end.

#[path = "support/help.rs"]
mod help;

use std::sync::Arc;
use std::thread;

use async_executor::Executor;
use futures_lite::future;
use neap::Group;

fn main() -> Result<(), neap::Error> {
    help::on_request(include_str!("own_executor.rs"));
    let executor = Arc::new(Executor::new());
    let (stop_threads, stopped) = async_channel::bounded::<()>(1);
    let threads: Vec<_> = (1..=2)
        .map(|number| {
            let (executor, stopped) = (Arc::clone(&executor), stopped.clone());
            let run = move || future::block_on(executor.run(stopped.recv())).ok();
            thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(run)
        })
        .collect();

    let mut group = Group::on(move |task| executor.spawn(task));
    for name in ["first", "second", "third"] {
        group.add(name, async move |scope| {
            println!("{} is on {:?}", scope.name(), thread::current().name());
        });
    }
    println!("{}", future::block_on(group.run())?);

    drop(stop_threads);
    for thread in threads.into_iter().flatten() {
        drop(thread.join());
    }
    Ok(())
}
