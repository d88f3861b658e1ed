//! The runtimes that the server is tortured on: those of the tests.

use std::future::{Future, pending};
use std::sync::Arc;
use std::thread;

use async_executor::Executor;
use neap::{Group, Task};

use crate::Failure;

/// The names of all runtimes.
pub(crate) const RUNTIMES: [&str; 7] = [
    "in-place",
    "in-place-smol",
    "smol",
    "smol-threads",
    "async-std",
    "executor",
    "thread-pool",
];

/// Runs a program with a group on the runtime of this name.
///
/// # Errors
///
/// There is no such runtime, or the program has failed.
pub(super) fn run<F: Future<Output = Result<(), Failure>>>(
    runtime: &str,
    program: impl FnOnce(Group<'static>) -> F,
) -> Result<(), Failure> {
    match runtime {
        "in-place" => futures_lite::future::block_on(program(Group::new())),
        "in-place-smol" => smol::block_on(program(Group::new())),
        "smol" => smol::block_on(program(Group::on(smol::spawn))),
        "smol-threads" => smol::block_on(program(on_threads())),
        "async-std" => async_std::task::block_on(program(Group::on(async_std::task::spawn))),
        "executor" => {
            let executor = Arc::new(Executor::new());
            let spawner = Arc::clone(&executor);
            let group = Group::on(move |task| spawner.spawn(task).detach());
            futures_lite::future::block_on(executor.run(program(group)))
        }
        "thread-pool" => {
            let pool = futures_executor::ThreadPool::builder()
                .pool_size(4)
                .create()?;
            let group = Group::on(move |task: Task<'static>| pool.spawn_ok(task));
            futures_executor::block_on(program(group))
        }
        _ => Err(format!("no such runtime: {runtime}").into()),
    }
}

/// An executor of smol's on four threads.
fn on_threads() -> Group<'static> {
    let executor = Arc::new(Executor::new());
    for _ in 0..4 {
        let executor = Arc::clone(&executor);
        thread::spawn(move || smol::block_on(executor.run(pending::<()>())));
    }
    Group::on(move |task| executor.spawn(task).detach())
}
