//! System calls per request, counted by strace.
//!
//! One connection sends one request after the other, so that each finds a server that waits, as it mostly
//! does below saturation. Each server runs twice under strace, and answers twice as many requests the
//! second time. The difference is what the requests take; start and stop are the same in both.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use figures::Progress;

use crate::contender::Contender;
use crate::files::Files;
use crate::flags::Flags;
use crate::load::{self, Demand, Load, Until};
use crate::server::{Server, end_of};
use crate::{Failure, PATIENCE};

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
        println!("| System calls per request: {} | all | each |", load.title);
        println!("|---|---|---|");
        for contender in &flags.contenders {
            progress.step(&format!("{}: {}", load.name, contender.name));
            match count(contender, load, flags, files.directory()) {
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
    flags: &Flags,
    directory: &Path,
) -> Result<Calls, Failure> {
    let contender = contender.with(directory, 1);
    let demand = Demand::new(load, 1, None);
    let few = flags.requests.unwrap_or(load.few);
    let total = |requests: usize| {
        let summary = directory.join("strace");
        serve(contender.clone(), demand, requests, &summary, flags)
    };
    let (before, mut calls) = (total(few)?, total(2 * few)?);
    for (name, count) in &mut calls {
        *count -= before.get(name).unwrap_or(&0.0);
        *count /= few as f64;
    }
    Ok(calls)
}

/// Serves this many requests under strace, and returns all calls of the process.
fn serve(
    contender: Contender,
    demand: Demand,
    requests: usize,
    summary: &Path,
    flags: &Flags,
) -> Result<Calls, Failure> {
    // One of an earlier server is not to be taken for that of this one.
    if summary.exists() {
        fs::remove_file(summary)?;
    }
    // With `-D` the process that is started is the server, and strace another.
    let strace = ["strace", "-D", "-f", "-c", "-o"].map(str::to_owned);
    let strace = strace.into_iter().chain([summary.display().to_string()]);
    let processors = &flags.settings.processors;
    let server = Server::start(&contender.under(strace), processors)?;
    let until = Until::Answered(requests);
    load::send(server.address, demand, until, &processors.load)?;
    server.stop()?;
    end_of(server.ended())?;
    await_calls(summary)
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
