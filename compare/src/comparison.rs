//! A whole comparison: the rounds, what is written of them, and whether neap kept its promise.

use figures::Progress;
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::flags::Flags;
use crate::metric::Metric;
use crate::row::Row;
use crate::samples::Samples;
use crate::{Failure, json, round, table};

/// Measures every contender, prints the tables, and writes the files that were asked for.
///
/// # Errors
///
/// A contender could not be measured, or one of neap's has lost a request at its stop.
pub(crate) fn run(flags: &Flags) -> Result<(), Failure> {
    allow_most_descriptors()?;
    let rows = measure(flags);
    if rows.is_empty() {
        return Err("nothing could be measured".into());
    }
    println!("{}", table::markdown(&rows));
    println!("{}", flags.describe());
    if let Some(path) = &flags.json {
        let json = json::document(&rows, &flags.settings, flags.rounds);
        std::fs::write(path, format!("{json:#}\n"))?;
    }
    for plot in &flags.plots {
        plot.draw(&rows, &flags.note)?;
    }
    if rows.len() < flags.contenders.len() {
        return Err("not everything could be measured".into());
    }
    check_no_loss(&rows)
}

/// Raises the limit on descriptors as far as possible: each idle connection takes one on either side.
fn allow_most_descriptors() -> Result<(), Failure> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}

/// Goes through all rounds, with each contender once in each. A contender that fails is named, and
/// left out from then on.
fn measure(flags: &Flags) -> Vec<Row> {
    let mut progress = Progress::new(flags.rounds * flags.contenders.len());
    let rows = flags.contenders.iter().cloned();
    let mut rows: Vec<_> = rows
        .map(|contender| Some((contender, Samples::default())))
        .collect();
    for nth in 1..=flags.rounds {
        for slot in &mut rows {
            let Some((contender, samples)) = slot else {
                continue;
            };
            let (of, name) = (flags.rounds, &contender.name);
            progress.step(&format!("round {nth} of {of}: {name}"));
            match round::round(contender, &flags.settings) {
                Ok(more) => samples.extend(more),
                Err(error) => {
                    progress.say(&format!("{name} is left out: {error}"));
                    *slot = None;
                }
            }
        }
    }
    progress.done();
    rows.into_iter().flatten().collect()
}

/// Fails if neap has lost a request, on any runtime.
fn check_no_loss(rows: &[Row]) -> Result<(), Failure> {
    for (contender, samples) in rows {
        let lost: f64 = samples.of(Metric::Lost).iter().sum();
        if contender.is_ours() && lost > 0.0 {
            return Err(format!("{} has lost {lost} requests at its stops", contender.name).into());
        }
    }
    Ok(())
}
