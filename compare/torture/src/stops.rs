//! Stops with all kinds of client at once, by each door on every runtime in turn.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use rustix::process::Signal;

use crate::child::{Ended, Server};
use crate::clients::{Client, ENDLESS, FINITE, Kind};
use crate::serve::RUNTIMES;
use crate::settings::Settings;
use crate::tally::Tally;
use crate::{Failure, PATIENCE};

/// How long a connection may stay silent in a drain, and a head may take.
const GRACE: Duration = Duration::from_secs(1);
/// What a slow machine may add to a deadline before a stop counts as late.
const SLACK: Duration = Duration::from_secs(5);
/// The group's drain timeout where endless clients hold up the drain.
const DRAIN: Duration = Duration::from_millis(2500);
const CANCEL: Duration = Duration::from_millis(500);
/// Two terminations that come within 100 ms are one; on a slow machine the first may be delayed.
const MERGED: Duration = Duration::from_millis(150);
/// The longest time between two signals, beyond that.
const BETWEEN: Duration = Duration::from_millis(400);

/// How a stop is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    /// By itself: every client lets it.
    Clean,
    /// Until its deadline: some clients hold it up.
    Cut,
    /// A second signal cancels it.
    Twice,
}

/// What is known of all stops.
struct Stops<'a> {
    settings: &'a Settings,
    servers: Vec<String>,
    kinds: Vec<(&'a Kind, Tally)>,
    began: Instant,
    next: AtomicUsize,
    /// How long each took, with its course.
    took: Mutex<Vec<(Course, Duration)>>,
    wrong: Mutex<Vec<String>>,
}

/// Makes stops for a time, or as many as the settings say. Returns what is wrong.
pub(crate) fn run(settings: &Settings) -> Result<Vec<String>, Failure> {
    let kinds = FINITE.iter().chain(&ENDLESS);
    let kinds = kinds.filter(|kind| settings.wants(kind.name));
    let stops = Stops {
        settings,
        servers: settings.servers(&RUNTIMES),
        kinds: kinds.map(|kind| (kind, Tally::default())).collect(),
        began: Instant::now(),
        next: AtomicUsize::new(0),
        took: Mutex::default(),
        wrong: Mutex::default(),
    };
    thread::scope(|scope| {
        for _ in 0..settings.jobs {
            scope.spawn(|| stops.work());
        }
    });
    stops.print();
    Ok(stops.found())
}

impl Stops<'_> {
    /// Makes one stop after another.
    fn work(&self) {
        loop {
            let nth = self.next.fetch_add(1, Relaxed);
            let over = match self.settings.stops {
                Some(stops) => nth >= stops,
                None => self.began.elapsed() > self.settings.length,
            };
            if over {
                return;
            }
            let seed = self.settings.seed + nth as u64;
            let name = &self.servers[nth % self.servers.len()];
            if let Err(error) = self.stop(seed, name) {
                self.note(format!("{error} (seed {seed}, {name})"));
            }
        }
    }

    fn note(&self, wrong: String) {
        println!("{wrong}");
        if let Ok(mut all) = self.wrong.lock() {
            all.push(wrong);
        }
    }

    /// Starts a server, has all kinds of client use it, and stops it.
    fn stop(&self, seed: u64, name: &str) -> Result<(), Failure> {
        let mut rng = Rng::with_seed(seed);
        let course = match rng.u8(0..8) {
            0..=4 => Course::Clean,
            5..=6 => Course::Cut,
            _ => Course::Twice,
        };
        let drain = match course {
            Course::Clean | Course::Twice => PATIENCE / 2,
            Course::Cut => DRAIN,
        };
        let drain = drain.as_millis().to_string();
        let server = Server::start(name, &["--drain", &drain])?;
        let tallies: Vec<_> = self.kinds.iter().map(|_| Tally::default()).collect();
        let ended = thread::scope(|scope| {
            for ((kind, _), tally) in self.kinds.iter().zip(&tallies) {
                let endless = ENDLESS.iter().any(|endless| endless.name == kind.name);
                let clients = match course {
                    Course::Clean if endless => 0,
                    _ => rng.usize(1..3),
                };
                for _ in 0..clients {
                    let mut client = Client {
                        address: server.address,
                        grace: GRACE,
                        rng: rng.fork(),
                        tally,
                    };
                    scope.spawn(move || client.run(kind));
                }
            }
            thread::sleep(Duration::from_micros(rng.u64(5_000..300_000)));
            let began = Instant::now();
            server.signal(Signal::TERM);
            if course == Course::Twice {
                thread::sleep(MERGED + BETWEEN.mul_f64(rng.f64()));
                server.signal(Signal::TERM);
            }
            server.wait_since(began, PATIENCE)
        });
        // A process that had to be killed has cut everything, and so has one that was cancelled.
        let ended = ended?;
        if course != Course::Twice {
            let place = format!("seed {seed}, {name}, {course:?}");
            for ((_, all), tally) in self.kinds.iter().zip(&tallies) {
                all.merge(tally, &place);
            }
        }
        if let Ok(mut took) = self.took.lock() {
            took.push((course, ended.took));
        }
        check(course, &ended)
    }

    /// Returns everything that is wrong.
    fn found(self) -> Vec<String> {
        let mut found = self.wrong.into_inner().unwrap_or_default();
        for (kind, tally) in &self.kinds {
            if tally.fault_count() > 0 {
                let [_, _, _, lost, wrong, reset] = tally.counts();
                let first = tally.faults().join("; ");
                found.push(format!(
                    "{}: {lost} lost, {wrong} wrong, {reset} reset: {first}",
                    kind.name
                ));
            }
        }
        found
    }

    fn print(&self) {
        println!("| client | answered | ended | late itself | lost | wrong | reset |");
        println!("|---|---|---|---|---|---|---|");
        let mut total = [0; 6];
        for (kind, tally) in &self.kinds {
            let counts = tally.counts();
            println!("| {} | {} |", kind.name, cells(counts));
            total
                .iter_mut()
                .zip(counts)
                .for_each(|(total, count)| *total += count);
        }
        println!("| all | {} |", cells(total));
        let took = self
            .took
            .lock()
            .map(|took| took.clone())
            .unwrap_or_default();
        for course in [Course::Clean, Course::Cut, Course::Twice] {
            let mut took: Vec<_> = took
                .iter()
                .filter(|(of, _)| *of == course)
                .map(|(_, took)| *took)
                .collect();
            took.sort();
            if let Some(longest) = took.last() {
                let median = took[took.len() / 2];
                println!(
                    "{} stops, {course:?}: median {median:.1?}, longest {longest:.1?}",
                    took.len()
                );
            }
        }
    }
}

fn cells(counts: [usize; 6]) -> String {
    counts.map(|count| count.to_string()).join(" | ")
}

/// Checks how a server has ended.
fn check(course: Course, ended: &Ended) -> Result<(), Failure> {
    let Ended {
        status,
        took,
        stdout,
        stderr,
        ..
    } = ended;
    let said = || {
        format!(
            "{status}, {took:?}; {}; {}",
            stdout.trim(),
            last_lines(stderr)
        )
    };
    if let Some(signal) = ended.signal() {
        return Err(format!("killed by signal {signal}: {}", said()).into());
    }
    let limit = match course {
        // 2 s is the longest linger.
        Course::Clean => GRACE + Duration::from_secs(2) + SLACK,
        Course::Cut => DRAIN + CANCEL + SLACK,
        Course::Twice => MERGED + BETWEEN + CANCEL + SLACK,
    };
    if *took > limit {
        return Err(format!("{course:?} stop late, limit {limit:?}: {}", said()).into());
    }
    match course {
        Course::Clean if !ended.is_clean() => Err(format!("not clean: {}", said()).into()),
        _ => Ok(()),
    }
}

/// Returns the last lines of a text.
fn last_lines(text: &str) -> String {
    // Handlers panic as asked.
    let asked = |line: &&str| line.contains("as asked") || line.contains("src/serve/");
    let lines: Vec<_> = text.lines().filter(|line| !asked(line)).collect();
    lines[lines.len().saturating_sub(5)..].join(" / ")
}
