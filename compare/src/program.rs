//! The program that is measured: a server and the timer of `examples/hello.rs`.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use axum::routing::get;
use neap::{Group, http, signal};
use smol::Timer;

use crate::Failure;
use crate::apps::{self, HELLO, SLOW};

/// The doors by which an app is served, by name.
pub(crate) const DOORS: [&str; 2] = ["axum", "tide"];

/// Where to listen, what to serve, how many threads to use, and when the timer fails.
#[derive(Debug)]
pub(crate) struct Program {
    door: String,
    addr: String,
    files: PathBuf,
    timer: Duration,
    pub(crate) threads: usize,
}

impl Program {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// There is no such door, or a variable is missing or cannot be parsed; the message names it.
    pub(crate) fn from_env(door: &str) -> Result<Program, Failure> {
        if !DOORS.contains(&door) {
            return Err(format!("no such door: {door}").into());
        }
        Ok(Program {
            door: door.to_owned(),
            addr: var("ADDR")?,
            files: std::env::var_os("FILES").unwrap_or_default().into(),
            timer: Duration::from_secs(var("TIMER")?),
            threads: var("THREADS")?,
        })
    }

    /// Adds the services to a group, on any runtime, and runs it.
    pub(crate) async fn run(self, group: Group<'static>) -> Result<neap::Outcome, neap::Error> {
        let mut group = group.stop_on(signal::termination()?);
        if self.door == "tide" {
            group.add("http", http::serve(apps::tide::app(self.files), self.addr));
        } else {
            group.add("http", http::serve(router(self.files), self.addr));
        }
        group.race("timer", async move {
            Timer::after(self.timer).await;
            Err("xxx")
        });
        group.run().await
    }
}

/// The router with what depends on the runtime.
fn router(files: PathBuf) -> impl http::App + 'static {
    let slow = async || {
        Timer::after(SLOW).await;
        HELLO
    };
    let router = apps::axum::router().route("/slow", get(slow));
    http::service(router.merge(apps::files::routes(files)))
}

/// Parses an environment variable.
fn var<T: FromStr<Err: Display>>(name: &str) -> Result<T, String> {
    let value = std::env::var(name).map_err(|error| format!("{name}: {error}"))?;
    value
        .parse()
        .map_err(|error| format!("{name}={value}: {error}"))
}
