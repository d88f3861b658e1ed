//! A tide server and a timer in one group.
//!
//! ```text
//! cargo run --release --example hello --features tide
//! curl localhost:8080/hello
//! ```
//!
//! Press Ctrl-C: requests in flight are answered, and it ends with the exit code 0. Press it again
//! to cancel at once. Left alone, the timer fails after 30 s; so does the program then, by name.
//! Try `--addr 127.0.0.1:0`, `--timer 3s`, `--drain-timeout 500ms`, `--runtime async-std`.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use neap::{Error, Group, Outcome, http, signal};
use smol::Timer;

/// The flags of the command line.
struct Flags {
    addr: String,
    timer: Duration,
    drain_timeout: Duration,
    runtime: String,
}

fn parse() -> Result<Flags, lexopt::Error> {
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
            _ => return Err(arg.unexpected()),
        }
    }
    Ok(flags)
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
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    // Unlike `eprintln!`, this does not panic if standard error is closed.
    let say = |line: &dyn std::fmt::Debug| drop(writeln!(std::io::stderr(), "hello: {line:?}"));
    let group = parse().and_then(|flags| Ok((group_on(&flags.runtime)?, flags)));
    match group {
        Ok((group, flags)) => match smol::block_on(run(group, flags)) {
            Ok(outcome) => {
                say(&format_args!("{outcome}"));
                outcome.into()
            }
            Err(error) => {
                say(&error);
                error.into()
            }
        },
        Err(error) => {
            say(&format_args!("{error}"));
            ExitCode::from(2)
        }
    }
}
