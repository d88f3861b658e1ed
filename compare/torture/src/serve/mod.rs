//! The server that is attacked: this program with `--serve`, in a process of its own.

mod axum;
mod heap;
mod runtimes;
mod streams;
mod tide;

use std::time::Duration;

use lexopt::prelude::*;
use neap::http::{App, Server};
use neap::{Group, signal};
use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit,
};

use crate::Failure;
pub(crate) use runtimes::RUNTIMES;

/// The doors by which the same app is served.
pub(crate) const DOORS: [&str; 2] = ["tide", "axum"];

/// What the command line sets.
#[derive(Debug, Clone, Copy)]
struct Settings {
    grace: Duration,
    head: Duration,
    drain: Duration,
    cancel: Duration,
}

/// Serves until SIGTERM, by a door on a runtime: `tide on smol`. Prints `listening ADDRESS`, and at the end a
/// line about the drain.
///
/// # Errors
///
/// A flag is not understood, or the group has failed.
pub(crate) fn serve(server: &str, flags: &mut lexopt::Parser) -> Result<(), Failure> {
    // The process that tortures this one may be killed.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let mut settings = Settings {
        grace: Duration::from_secs(1),
        head: Duration::from_secs(1),
        drain: Duration::from_secs(10),
        cancel: Duration::from_millis(500),
    };
    while let Some(flag) = flags.next()? {
        match flag {
            Long("grace") => settings.grace = millis(flags)?,
            Long("head") => settings.head = millis(flags)?,
            Long("drain") => settings.drain = millis(flags)?,
            Long("cancel") => settings.cancel = millis(flags)?,
            Long("descriptors") => allow_descriptors(flags.value()?.parse()?)?,
            _ => return Err(flag.unexpected().into()),
        }
    }
    match server.split_once(" on ") {
        Some(("tide", runtime)) => {
            runtimes::run(runtime, |group| run(tide::app(), group, settings))
        }
        Some(("axum", runtime)) => {
            runtimes::run(runtime, |group| run(axum::app(), group, settings))
        }
        _ => Err(format!("no such server: {server}").into()),
    }
}

async fn run(
    app: impl App + 'static,
    group: Group<'static>,
    settings: Settings,
) -> Result<(), Failure> {
    let mut group = group
        .drain_timeout(settings.drain)
        .cancel_timeout(settings.cancel)
        .stop_on(signal::termination()?);
    let server = Server::new(app, "127.0.0.1:0")
        .idle_grace(settings.grace)
        .new_conn_grace(settings.grace)
        .drain_head_timeout(settings.head)
        .on_drained(|report| println!("report {} {report}", report.is_clean()))
        .bind()?;
    let address = server.local_addrs()[0].tcp().ok_or("not TCP")?;
    println!("listening {address}");
    group.add("http", server.into_service());
    group.run().await?;
    Ok(())
}

fn millis(flags: &mut lexopt::Parser) -> Result<Duration, Failure> {
    Ok(Duration::from_millis(flags.value()?.parse()?))
}

/// Limits this process to n open files.
fn allow_descriptors(number: u64) -> Result<(), Failure> {
    let limit = Rlimit {
        current: Some(number),
        ..getrlimit(Resource::Nofile)
    };
    Ok(setrlimit(Resource::Nofile, limit)?)
}
