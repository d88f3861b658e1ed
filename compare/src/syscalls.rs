//! System calls per request, counted by strace.
//!
//! Each server runs twice under strace, and has the load for twice as long the second time. The
//! difference is what the requests take; start and stop are the same in both. strace makes every call
//! slower many times over, so that a fixed rate has to be low; each request finds a server that waits
//! then, as it mostly does at any rate below saturation.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use figures::{Progress, thousands};

use crate::contender::Contender;
use crate::files::Files;
use crate::flags::Flags;
use crate::load::{self, Demand, Load, Until};
use crate::server::{Server, end_of};
use crate::{Failure, PATIENCE};

/// What a fixed rate is at most, in requests per second.
const RATE: f64 = 1000.0;

/// How often each system call was made, by name.
type Calls = BTreeMap<String, f64>;

/// Counts, and prints a table for each load: the calls of each contender, all and each.
///
/// # Errors
///
/// There is no strace, or something could not be counted.
pub(crate) fn run(flags: &Flags) -> Result<(), Failure> {
    let files = Files::write()?;
    let mut progress = Progress::new(flags.loads.len() * flags.contenders.len());
    let mut complete = true;
    for load in &flags.loads {
        let rate = load.paced.then(|| flags.rate.min(RATE));
        let at = rate.map(|rate| format!(", {} a second", thousands(rate.round() as u64)));
        let at = at.unwrap_or_default();
        println!(
            "| System calls per request: {}{at} | all | each |",
            load.title
        );
        println!("|---|---|---|");
        for contender in &flags.contenders {
            progress.step(&format!("{}: {}", load.name, contender.name));
            match count(contender, load, rate, flags, files.directory()) {
                Ok(calls) => println!("| {} |{}", contender.name, cells(&calls)),
                Err(error) => {
                    progress.say(&format!("{}: {}: {error}", load.name, contender.name));
                    complete = false;
                }
            }
        }
        println!();
    }
    progress.done();
    match complete {
        true => Ok(()),
        false => Err("not everything could be counted".into()),
    }
}

/// Writes the sum of the calls, and each that is made at least once in a hundred requests.
fn cells(calls: &Calls) -> String {
    let mut each: Vec<_> = calls.iter().filter(|(_, count)| **count >= 0.01).collect();
    each.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let each = each
        .iter()
        .map(|(name, count)| format!("{name} {count:.2}"));
    let each = each.collect::<Vec<_>>().join(", ");
    format!(" {:.2} | {each} |", calls.values().sum::<f64>())
}

/// Returns the calls of a contender for each request of a load.
fn count(
    contender: &Contender,
    load: &'static Load,
    rate: Option<f64>,
    flags: &Flags,
    directory: &Path,
) -> Result<Calls, Failure> {
    let contender = contender.with(directory, 1);
    let demand = Demand::new(load, flags.settings.connections, rate);
    let of = |length: Duration| {
        let summary = directory.join("strace");
        serve(contender.clone(), demand, length, &summary, flags)
    };
    let (before, answered_before) = of(flags.settings.length)?;
    let (mut calls, answered) = of(2 * flags.settings.length)?;
    let requests = answered
        .checked_sub(answered_before)
        .filter(|more| *more > 0);
    let requests = requests.ok_or("it has not answered more in more time")?;
    for (name, count) in &mut calls {
        *count -= before.get(name).unwrap_or(&0.0);
        *count /= requests as f64;
    }
    Ok(calls)
}

/// Serves under strace for this long. Returns the calls, and how many requests were answered.
fn serve(
    contender: Contender,
    demand: Demand,
    length: Duration,
    summary: &Path,
    flags: &Flags,
) -> Result<(Calls, usize), Failure> {
    // One of an earlier server is not to be taken for that of this one.
    if summary.exists() {
        fs::remove_file(summary)?;
    }
    // With `-D` the process that is started is the server, and strace another.
    let strace = ["strace", "-D", "-f", "-c", "-o"].map(str::to_owned);
    let strace = strace.into_iter().chain([summary.display().to_string()]);
    let processors = &flags.settings.processors;
    let server = Server::start(&contender.under(strace), processors)?;
    let until = Until::Elapsed(length);
    let tally = load::send(server.address, demand, until, &processors.load)?;
    server.stop()?;
    end_of(server.ended())?;
    Ok((await_calls(summary)?, tally.answered))
}

/// Waits for the summary, which strace writes after the server has ended, and reads it.
fn await_calls(summary: &Path) -> Result<Calls, Failure> {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        let text = fs::read_to_string(summary).unwrap_or_default();
        if let Some(calls) = parse(&text) {
            return Ok(calls);
        }
        thread::sleep(Duration::from_millis(1));
    }
    Err("strace writes no summary".into())
}

/// Reads the table of `strace -c` (strace(1)): the calls are in the fourth column, the name in the last.
/// Returns `None` if the line of the sums is missing, with which it ends.
fn parse(summary: &str) -> Option<Calls> {
    let mut calls = Calls::new();
    for line in summary.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let (Some(name), Some(count)) = (words.last(), words.get(3)) else {
            continue;
        };
        match (*name, count.parse()) {
            ("total", _) => return Some(calls),
            (_, Ok(count)) => drop(calls.insert((*name).to_owned(), count)),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_summary_is_read_once_it_is_whole() {
        let summary = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000600           3       200        10 recvfrom
 40.00    0.000400           4       100           sendto
------ ----------- ----------- --------- --------- ----------------
100.00    0.001000           3       300        10 total
";
        let calls = parse(summary).map(Vec::from_iter);
        let expected = [("recvfrom", 200.0), ("sendto", 100.0)];
        let expected = expected.map(|(name, count)| (name.to_owned(), count));
        assert_eq!(calls, Some(expected.to_vec()));
        let (begun, _) = summary.split_at(summary.len() / 2);
        assert_eq!(parse(begun), None);
    }
}
