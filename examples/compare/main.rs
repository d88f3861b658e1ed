//! The same program on every runtime, side by side: what each costs at work, at rest, at the stop.
//!
//! ```text
//! cargo run --release --example compare --features tide
//! cargo run --release --example compare --features tide -- --svg compare.svg --json compare.json
//! ```
//!
//! A minute, on 127.0.0.1 alone. Each runtime is a process of its own that serves `GET /hello`
//! with tide and has a timer beside it; this one starts it, asks it, stops it, and reads what the
//! kernel says of it. Rounds are interleaved; the tables have medians, and in brackets the lowest
//! and the highest.
//!
//! `--rounds 3`, `--seconds 1` (of load, in each round), `--connections 64`, `--idle 1000`,
//! `--starts 3`, `--server-processors N` (the rest are the load's), `--only NAME` (repeatable).
//! `--peer NAME=COMMAND` measures a server program of yours beside these, and `--only-peers` that
//! alone: what it has to do says `contender.rs`. Linux only: it reads `/proc`.

#[cfg(target_os = "linux")]
mod client;
#[cfg(target_os = "linux")]
mod contender;
#[cfg(target_os = "linux")]
mod flags;
#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod metric;
#[cfg(target_os = "linux")]
mod plot;
#[cfg(target_os = "linux")]
mod progress;
#[cfg(target_os = "linux")]
mod round;
#[cfg(target_os = "linux")]
mod runtimes;
#[cfg(target_os = "linux")]
mod table;

use std::process::ExitCode;

/// Why something could not be measured.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn run() -> Result<(), Failure> {
    Err("reads what it measures from /proc, which is Linux's".into())
}

#[cfg(target_os = "linux")]
fn run() -> Result<(), Failure> {
    let flags = match flags::parse()? {
        flags::Wish::Serve(runtime) => return runtimes::serve(&runtime),
        flags::Wish::Compare(flags) => flags,
    };
    // As many descriptors as the idle connections take, on either side.
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = limit.maximum;
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit)?;

    let rows = measure(&flags);
    if rows.is_empty() {
        return Err("nothing could be measured".into());
    }
    println!("{}", table::markdown(&rows));
    println!("{}", flags.describe());
    if let Some(path) = &flags.json {
        let json = table::json(&rows, &flags.settings, flags.rounds);
        std::fs::write(path, format!("{json:#}\n"))?;
    }
    if let Some(path) = &flags.svg {
        plot::draw(path, &rows)?;
    }
    if rows.len() < flags.contenders.len() {
        return Err("not everything could be measured".into());
    }
    verdict(&rows)
}

/// Whether neap has kept what it promises, whatever the runtime.
#[cfg(target_os = "linux")]
fn verdict(rows: &[table::Row]) -> Result<(), Failure> {
    for (contender, samples) in rows {
        let lost: f64 = samples.of(metric::Metric::Lost).iter().sum();
        if contender.is_ours() && lost > 0.0 {
            return Err(format!("{} has lost {lost} requests at its stops", contender.name).into());
        }
    }
    Ok(())
}

/// All rounds, each contender once in each. Who fails is named, and left out from then on.
#[cfg(target_os = "linux")]
fn measure(flags: &flags::Flags) -> Vec<table::Row> {
    let mut progress = progress::Progress::new(flags.rounds * flags.contenders.len());
    let rows = flags.contenders.iter().cloned();
    let mut rows: Vec<_> = rows
        .map(|contender| Some((contender, metric::Samples::default())))
        .collect();
    for nth in 1..=flags.rounds {
        for place in &mut rows {
            let Some((contender, samples)) = place else {
                continue;
            };
            progress.step(&format!(
                "round {nth} of {}: {}",
                flags.rounds, contender.name
            ));
            match round::round(contender, &flags.settings) {
                Ok(more) => samples.extend(more),
                Err(error) => {
                    progress.say(&format!("{} is left out: {error}", contender.name));
                    *place = None;
                }
            }
        }
    }
    progress.done();
    rows.into_iter().flatten().collect()
}
