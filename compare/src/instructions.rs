//! Instructions per request, counted by callgrind.
//!
//! Each server runs twice under valgrind, and answers twice as many requests the second time. The
//! difference is what the requests take; start and stop are the same in both. Unlike times, it is the
//! same on a machine that has other things to do. Instructions of the kernel are not in it.

use std::fs;
use std::path::{Path, PathBuf};

use figures::{Progress, thousands};

use crate::Failure;
use crate::contender::Contender;
use crate::files::Files;
use crate::flags::Flags;
use crate::load::{self, Demand, Load, Until};
use crate::server::{Server, end_of};

/// Counts, and prints a table: the instructions of each contender, and the ratio to the baseline.
///
/// # Errors
///
/// There is no valgrind, or something could not be counted.
pub(crate) fn run(flags: &Flags) -> Result<(), Failure> {
    let files = Files::write()?;
    let profiles = flags.profiles.as_deref();
    let directory = profiles.unwrap_or_else(|| files.directory());
    fs::create_dir_all(directory)?;
    let mut progress = Progress::new(flags.loads.len() * flags.contenders.len());
    let titles = flags.contenders.iter().map(|contender| &contender.name);
    let titles: String = titles.map(|name| format!(" {name} | ratio |")).collect();
    let mut table = format!("| Instructions per request |{titles}\n|---|");
    table += &"---|---|".repeat(flags.contenders.len());
    let mut complete = true;
    for load in &flags.loads {
        let mut counted = Vec::new();
        for contender in &flags.contenders {
            progress.step(&format!("{}: {}", load.name, contender.name));
            let count = count(contender, load, flags, files.directory(), directory);
            if let Err(error) = &count {
                progress.say(&format!("{}: {}: {error}", load.name, contender.name));
                complete = false;
            }
            counted.push(count.ok());
        }
        table += &format!("\n| {} |{}", load.title, cells(flags, &counted));
    }
    progress.done();
    println!("{table}");
    match complete {
        true => Ok(()),
        false => Err("not everything could be counted".into()),
    }
}

/// Writes the counts of a load, each with its ratio to the baseline's.
fn cells(flags: &Flags, counted: &[Option<f64>]) -> String {
    let mut contenders = flags.contenders.iter().zip(counted);
    let baseline = contenders.find(|(contender, _)| flags.is_baseline(contender));
    let baseline = baseline.and_then(|(_, count)| *count);
    let cell = |count: &Option<f64>| match (count, baseline) {
        (None, _) => " – | – |".to_owned(),
        (Some(count), None) => format!(" {} | – |", thousands(count.round() as u64)),
        (Some(count), Some(baseline)) => {
            let ratio = count / baseline;
            format!(" {} | {ratio:.2} |", thousands(count.round() as u64))
        }
    };
    counted.iter().map(cell).collect()
}

/// Returns the instructions of a contender for each request of a load.
fn count(
    contender: &Contender,
    load: &'static Load,
    flags: &Flags,
    files: &Path,
    profiles: &Path,
) -> Result<f64, Failure> {
    let contender = contender.with(files, 1);
    let demand = Demand::new(load, flags.settings.connections, None);
    let few = flags.requests.unwrap_or(load.few).max(demand.connections);
    let total = |requests: usize| {
        let name = format!("callgrind.{}.{}.{requests}", load.name, contender.name);
        let profile = profiles.join(name.replace(' ', "-"));
        serve(contender.clone(), demand, requests, &profile, flags)
    };
    Ok((total(2 * few)? - total(few)?) / few as f64)
}

/// Serves this many requests under callgrind, and returns all instructions of the process.
fn serve(
    contender: Contender,
    demand: Demand,
    requests: usize,
    profile: &PathBuf,
    flags: &Flags,
) -> Result<f64, Failure> {
    let valgrind = [
        "valgrind".to_owned(),
        "--tool=callgrind".to_owned(),
        // Otherwise a thread that is ready may wait for long.
        "--fair-sched=try".to_owned(),
        format!("--callgrind-out-file={}", profile.display()),
    ];
    let processors = &flags.settings.processors;
    let server = Server::start(&contender.under(valgrind), processors)?;
    load::send(
        server.address,
        demand,
        Until::Answered(requests),
        &processors.load,
    )?;
    server.stop()?;
    end_of(server.ended())?;
    // The line of the sums of all events, of which there is one here (Callgrind Format Specification).
    let text = fs::read_to_string(profile)?;
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
    Ok(totals.ok_or("no totals in the profile")?.parse()?)
}
