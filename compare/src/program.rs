//! The program that is measured: the tide server and the timer of `examples/hello.rs`.

use std::fmt::Display;
use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use neap::{Group, http, signal};
use smol::Timer;

use crate::Failure;

/// Where to listen, how many threads to use, and when the timer fails.
#[derive(Debug)]
pub(crate) struct Program {
    addr: String,
    timer: Duration,
    pub(crate) threads: usize,
}

impl Program {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// A variable is missing or cannot be parsed; the message names it.
    pub(crate) fn from_env() -> Result<Program, Failure> {
        Ok(Program {
            addr: var("ADDR")?,
            timer: Duration::from_secs(var("TIMER")?),
            threads: var("THREADS")?,
        })
    }

    /// Adds the services to a group, on any runtime, and runs it.
    pub(crate) fn run(
        self,
        group: Group<'static>,
    ) -> impl Future<Output = Result<neap::Outcome, neap::Error>> + Send {
        let mut app = tide::new();
        app.at("/hello").get(|_| async { Ok("Hello World!") });
        app.at("/slow").get(|_| async {
            Timer::after(Duration::from_millis(100)).await;
            Ok("Hello World!")
        });
        async move {
            let mut group = group.stop_on(signal::termination()?);
            group.add("http", http::serve(app, self.addr));
            group.race("timer", async move {
                Timer::after(self.timer).await;
                Err("xxx")
            });
            group.run().await
        }
    }
}

/// Parses an environment variable.
fn var<T: FromStr<Err: Display>>(name: &str) -> Result<T, String> {
    let value = std::env::var(name).map_err(|error| format!("{name}: {error}"))?;
    value
        .parse()
        .map_err(|error| format!("{name}={value}: {error}"))
}
