//! The loads: each contender under each, in interleaved rounds, with its ratio to the baseline.

use figures::Progress;

use crate::contender::Contender;
use crate::files::Files;
use crate::flags::Flags;
use crate::load::{Demand, Load};
use crate::metric::Metric;
use crate::processors::Processors;
use crate::round::{Settings, loaded};
use crate::row::Row;
use crate::samples::Samples;
use crate::server::{Server, end_of};
use crate::{Failure, json, table};

/// What a fixed rate is at most, of the rate that a contender reaches: more is no longer below saturation.
const SHARE: f64 = 0.7;

/// Measures every load, prints a table for each, and writes the files that were asked for.
///
/// # Errors
///
/// One of neap's could not be measured.
pub(crate) fn run(flags: &Flags) -> Result<(), Failure> {
    let files = Files::write()?;
    let mut measured = Vec::new();
    let mut failed = Vec::new();
    for load in &flags.loads {
        let (rate, rows) = measure(flags, load, &files, &mut failed)?;
        let baseline = rows.iter().find(|(one, _)| flags.is_baseline(one));
        println!("{}", table::loads(load, rate, &rows, baseline));
        measured.push((*load, rate, rows));
    }
    println!("{}", flags.describe_loads());
    if let Some(path) = &flags.json {
        let json = json::loads(&measured, &flags.settings, flags.rounds);
        std::fs::write(path, format!("{json:#}\n"))?;
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("could not be measured: {}", failed.join(", ")).into()),
    }
}

/// Goes through the rounds of a load. A contender that fails is named, and left out from then on; those
/// of neap that fail are added to `failed`. Returns the rate too, if it is fixed.
fn measure(
    flags: &Flags,
    load: &'static Load,
    files: &Files,
    failed: &mut Vec<String>,
) -> Result<(Option<f64>, Vec<Row>), Failure> {
    let settings = settings(flags, load);
    let mut slots = slots(flags, load, files);
    let rate = match load.paced {
        true => Some(rate(flags, &settings, &mut slots)?),
        false => None,
    };
    let demand = Demand::new(load, settings.connections, rate);
    let mut progress = Progress::new(flags.rounds * slots.len());
    for nth in 1..=flags.rounds {
        for slot in &mut slots {
            let Some((contender, samples)) = slot else {
                continue;
            };
            let (load, of, name) = (load.name, flags.rounds, &contender.name);
            progress.step(&format!("{load}, round {nth} of {of}: {name}"));
            match round(contender, &settings, demand) {
                Ok(more) => samples.extend(more),
                Err(error) => {
                    progress.say(&format!("{load}: {name} is left out: {error}"));
                    if contender.is_ours() {
                        failed.push(format!("{name} ({load})"));
                    }
                    *slot = None;
                }
            }
        }
    }
    progress.done();
    Ok((rate, slots.into_iter().flatten().collect()))
}

/// The contenders of a load, with no samples yet.
fn slots(flags: &Flags, load: &Load, files: &Files) -> Vec<Option<Row>> {
    let contenders = flags.contenders.iter();
    let contenders = contenders.filter(|one| load.threads == 1 || one.can_spread());
    let with = |one: &Contender| one.with(files.directory(), load.threads);
    contenders
        .map(|one| Some((with(one), Samples::default())))
        .collect()
}

/// The settings of a load. Several threads have all processors, and the load too.
fn settings(flags: &Flags, load: &Load) -> Settings {
    let mut settings = flags.settings.clone();
    if load.threads > 1 {
        settings.processors = Processors::divide(Processors::count());
    }
    settings
}

/// Returns the fixed rate: what the command line says, or less if that is too much for neap or for the
/// baseline. Others that cannot keep up are left out.
fn rate(flags: &Flags, settings: &Settings, slots: &mut [Option<Row>]) -> Result<f64, Failure> {
    let mut reached = vec![f64::INFINITY; slots.len()];
    for (slot, reached) in slots.iter().zip(&mut reached) {
        if let Some((contender, _)) = slot {
            let server = Server::start(contender, &settings.processors)?;
            let (tally, _) = loaded(&server, settings, settings.realistic())?;
            *reached = tally.answered as f64 / tally.elapsed.as_secs_f64();
        }
    }
    let counts = |(contender, _): &Row| contender.is_ours() || flags.is_baseline(contender);
    let those = slots.iter().zip(&reached);
    let those = those.filter(|(slot, _)| slot.as_ref().is_some_and(counts));
    let slowest = those
        .map(|(_, reached)| *reached)
        .fold(f64::INFINITY, f64::min);
    let rate = flags.rate.min(SHARE * slowest);
    for (slot, reached) in slots.iter_mut().zip(reached) {
        if SHARE * reached < rate {
            *slot = None;
        }
    }
    Ok(rate)
}

/// Puts a load on a new process of a contender, and stops it.
fn round(contender: &Contender, settings: &Settings, demand: Demand) -> Result<Samples, Failure> {
    let server = Server::start(contender, &settings.processors)?;
    let (mut tally, spent) = loaded(&server, settings, demand)?;
    server.stop()?;
    end_of(server.ended())?;
    let mut samples = Samples::default();
    let (seconds, micros) = (tally.elapsed.as_secs_f64(), spent.as_secs_f64() * 1e6);
    if demand.load.volume().is_some() {
        let megabytes = tally.bytes as f64 / 1e6;
        samples.add(Metric::Volume, megabytes / seconds);
        samples.add(Metric::CpuVolume, micros / megabytes);
        return Ok(samples);
    }
    let requests = tally.answered as f64;
    samples.add(Metric::Rate, requests / seconds);
    samples.add(Metric::Cpu, micros / requests);
    for (metric, percent) in [
        (Metric::Median, 50.0),
        (Metric::Tail, 99.0),
        (Metric::Far, 99.9),
    ] {
        samples.add(metric, tally.percentile(percent));
    }
    Ok(samples)
}
