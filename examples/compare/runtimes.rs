//! The program that is measured, on each runtime: the tide server and the timer of `hello`.

use std::fmt::Display;
use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use neap::{Group, http, signal};
use smol::Timer;

use super::Failure;

/// A runtime: its name, and what brings the program up on it.
type Runtime = (&'static str, fn(Program) -> Result<(), neap::Error>);

/// All of them. The first is what the others are compared with.
pub(crate) const RUNTIMES: &[Runtime] = &[
    ("in place", in_place),
    ("smol", on_smol),
    ("async-std", on_async_std),
    ("async_executor", on_async_executor),
    ("futures-executor", on_futures_executor),
];

/// What the environment says.
#[derive(Debug)]
pub(crate) struct Program {
    addr: String,
    timer: Duration,
    threads: usize,
}

impl Program {
    fn from_env() -> Result<Program, Failure> {
        Ok(Program {
            addr: var("ADDR")?,
            timer: Duration::from_secs(var("TIMER")?),
            threads: var("THREADS")?,
        })
    }

    /// The services, in a group on whatever runtime it is on.
    fn run(
        self,
        mut group: Group<'static>,
    ) -> impl Future<Output = Result<neap::Outcome, neap::Error>> + Send {
        let mut app = tide::new();
        app.at("/hello").get(|_| async { Ok("Hello World!") });
        app.at("/slow").get(|_| async {
            Timer::after(Duration::from_millis(100)).await;
            Ok("Hello World!")
        });
        async move {
            group.stop_on(signal::termination()?);
            group.add("http", http::serve(app, self.addr));
            group.race("timer", async move {
                Timer::after(self.timer).await;
                Err("xxx")
            });
            group.run().await
        }
    }
}

/// The value of an environment variable.
fn var<T: FromStr<Err: Display>>(name: &str) -> Result<T, String> {
    let value = std::env::var(name).map_err(|error| format!("{name}: {error}"))?;
    value
        .parse()
        .map_err(|error| format!("{name}={value}: {error}"))
}

/// Serves on the runtime of this name until it is told to stop.
///
/// # Errors
///
/// There is no such runtime, or the group's own.
pub(crate) fn serve(runtime: &str) -> Result<(), Failure> {
    let named = RUNTIMES.iter().find(|(name, _)| *name == runtime);
    let (_, run) = named.ok_or_else(|| format!("no such runtime: {runtime}"))?;
    Ok(run(Program::from_env()?)?)
}

/// No executor: whoever awaits the group drives the services.
fn in_place(program: Program) -> Result<(), neap::Error> {
    smol::block_on(program.run(Group::new())).map(drop)
}

/// smol's own executor, with as many threads as `SMOL_THREADS` says.
fn on_smol(program: Program) -> Result<(), neap::Error> {
    let group = Group::on(|task| smol::spawn(task).detach());
    smol::block_on(program.run(group)).map(drop)
}

/// async-std's executor, with as many threads as `ASYNC_STD_THREAD_COUNT` says.
fn on_async_std(program: Program) -> Result<(), neap::Error> {
    let group = Group::on(|task| drop(async_std::task::spawn(task)));
    async_std::task::block_on(program.run(group)).map(drop)
}

/// An executor of the program's own, on the main thread.
fn on_async_executor(program: Program) -> Result<(), neap::Error> {
    let executor = Arc::new(async_executor::Executor::new());
    let spawner = executor.clone();
    let group = Group::on(move |task| spawner.spawn(task).detach());
    smol::block_on(executor.run(program.run(group))).map(drop)
}

/// futures' thread pool; the reactor is on async-io's own thread then.
fn on_futures_executor(program: Program) -> Result<(), neap::Error> {
    let mut pool = futures_executor::ThreadPool::builder();
    let pool = pool.pool_size(program.threads).create();
    let pool = pool.expect("no thread can be started");
    let group = Group::on(move |task| pool.spawn_ok(task));
    futures_executor::block_on(program.run(group)).map(drop)
}
