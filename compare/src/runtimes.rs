//! The runtimes on which the program is measured.

use std::sync::Arc;

use neap::Group;

use crate::Failure;
use crate::program::Program;

/// A runtime: its name, and the function that runs the program on it.
type Runtime = (&'static str, fn(Program) -> Result<(), neap::Error>);

/// All runtimes. The others are compared with the first.
pub(crate) const RUNTIMES: &[Runtime] = &[
    ("in place", in_place),
    ("on smol", on_smol),
    ("on async-std", on_async_std),
    ("on async_executor", on_async_executor),
    ("on futures-executor", on_futures_executor),
];

/// Serves as these words say, a door and a runtime, until a signal stops it.
///
/// # Errors
///
/// There is no such door or runtime, or the group failed.
pub(crate) fn serve(words: &str) -> Result<(), Failure> {
    let (door, runtime) = words.split_once(' ').ok_or("not DOOR RUNTIME")?;
    let named = RUNTIMES.iter().find(|(name, _)| *name == runtime);
    let (_, run) = named.ok_or_else(|| format!("no such runtime: {runtime}"))?;
    Ok(run(Program::from_env(door)?)?)
}

/// No executor: the thread that awaits the group polls its services.
fn in_place(program: Program) -> Result<(), neap::Error> {
    smol::block_on(program.run(Group::new())).map(drop)
}

/// smol's own executor, with `SMOL_THREADS` threads.
fn on_smol(program: Program) -> Result<(), neap::Error> {
    let group = Group::on(|task| smol::spawn(task).detach());
    smol::block_on(program.run(group)).map(drop)
}

/// async-std's executor, with `ASYNC_STD_THREAD_COUNT` threads.
fn on_async_std(program: Program) -> Result<(), neap::Error> {
    let group = Group::on(|task| drop(async_std::task::spawn(task)));
    async_std::task::block_on(program.run(group)).map(drop)
}

/// An executor that the program makes, on the main thread.
fn on_async_executor(program: Program) -> Result<(), neap::Error> {
    let executor = Arc::new(async_executor::Executor::new());
    let spawner = executor.clone();
    let group = Group::on(move |task| spawner.spawn(task).detach());
    smol::block_on(executor.run(program.run(group))).map(drop)
}

/// futures' thread pool. The reactor runs on async-io's own thread then.
fn on_futures_executor(program: Program) -> Result<(), neap::Error> {
    let mut pool = futures_executor::ThreadPool::builder();
    let pool = pool.pool_size(program.threads).create();
    let pool = pool.expect("no thread can be started");
    let group = Group::on(move |task| pool.spawn_ok(task));
    futures_executor::block_on(program.run(group)).map(drop)
}
