//! A tide server and a timer in one group.
//!
//! ```text
//! cargo run --release --example hello --features tide
//! curl localhost:8080/hello
//! ```
//!
//! Press Ctrl-C: requests in flight are answered, and it ends with the exit code 0. Press it again
//! to cancel at once. Left alone, the timer fails after 30 s; so does the program then, by name.
//! The group says on standard error what happens. Try `--help`, which lists the flags.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use neap::{Error, Group, Outcome, http, signal};
use smol::Timer;

const HELP: &str = "\
A tide server and a timer in one group.

  --addr ADDRESS           where to listen (127.0.0.1:8080)
  --timer DURATION         after how long the timer fails (30s)
  --drain-timeout DURATION how long services may take to end after Ctrl-C (10s)
  --runtime RUNTIME        smol, async-std or in-place (smol)
  --help                   prints this
";

/// The flags of the command line.
struct Flags {
    addr: String,
    timer: Duration,
    drain_timeout: Duration,
    runtime: String,
}

/// Returns the flags; `None` if they ask for help.
fn parse() -> Result<Option<Flags>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut flags = Flags {
        addr: "127.0.0.1:8080".into(),
        timer: Duration::from_secs(30),
        drain_timeout: Duration::from_secs(10),
        runtime: "smol".into(),
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("addr") => flags.addr = parser.value()?.string()?,
            Long("timer") => flags.timer = parser.value()?.parse_with(humantime::parse_duration)?,
            Long("drain-timeout") => {
                flags.drain_timeout = parser.value()?.parse_with(humantime::parse_duration)?;
            }
            Long("runtime") => flags.runtime = parser.value()?.string()?,
            Long("help") | Short('h') => return Ok(None),
            _ => return Err(arg.unexpected()),
        }
    }
    Ok(Some(flags))
}

/// Returns an empty group on the runtime of this name.
fn group_on(runtime: &str) -> Result<Group<'static>, lexopt::Error> {
    match runtime {
        "smol" => Ok(Group::on(smol::spawn)),
        "async-std" => Ok(Group::on(async_std::task::spawn)),
        "in-place" => Ok(Group::new()),
        other => {
            Err(format!("no such runtime: {other} (there are smol, async-std, in-place)").into())
        }
    }
}

async fn run(group: Group<'static>, flags: Flags) -> Result<Outcome, Error> {
    let mut app = tide::new();
    app.at("/hello").get(|_| async { Ok("Hello World!") });

    let mut group = group
        .narrate()
        .drain_timeout(flags.drain_timeout)
        .stop_on(signal::termination()?);
    group.add("http", http::serve(app, flags.addr));
    group.race("timer", async move {
        Timer::after(flags.timer).await;
        Err("xxx")
    });
    group.run().await
}

fn main() -> ExitCode {
    // Unlike `eprintln!`, this does not panic if standard error is closed.
    let say = |line: &dyn std::fmt::Debug| drop(writeln!(std::io::stderr(), "hello: {line:?}"));
    let flags = match parse() {
        Ok(Some(flags)) => flags,
        Ok(None) => {
            let _ = std::io::stdout().write_all(HELP.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            say(&format_args!("{error}"));
            return ExitCode::from(2);
        }
    };
    match group_on(&flags.runtime).map(|group| smol::block_on(run(group, flags))) {
        Ok(Ok(outcome)) => outcome.into(),
        Ok(Err(error)) => {
            say(&error);
            error.into()
        }
        Err(error) => {
            say(&format_args!("{error}"));
            ExitCode::from(2)
        }
    }
}
