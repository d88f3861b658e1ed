//! Which scenarios are run: those of a range of seeds, one alone, or the regressions.

use std::env;
use std::str::FromStr;

use crate::scenario::Place;

/// Seeds that once broke a guarantee, each with the place where.
const REGRESSIONS: &str = include_str!("regressions.txt");

impl Place {
    /// The name of the test that searches here, and of the place in the list of regressions.
    pub fn name(self) -> &'static str {
        match self {
            Place::Here => "in_place",
            Place::Ticked => "on_an_executor",
            Place::Threads => "on_four_threads",
        }
    }
}

fn variable<T: FromStr>(name: &str) -> Option<T> {
    env::var(name).ok()?.parse().ok()
}

/// The seeds to run, the regressions first.
///
/// `NEAP_SEARCH_SEED` runs one alone; `NEAP_SEARCH_ROUNDS` says how many, from `NEAP_SEARCH_FROM`.
pub fn seeds(place: Place, rounds: u64) -> Box<dyn Iterator<Item = u64>> {
    if let Some(seed) = variable("NEAP_SEARCH_SEED") {
        return Box::new(std::iter::once(seed));
    }
    let rounds = variable("NEAP_SEARCH_ROUNDS").unwrap_or(rounds);
    let from: u64 = variable("NEAP_SEARCH_FROM").unwrap_or(1);
    Box::new(regressions(place).chain(from..from + rounds))
}

/// How often each seed is run: on threads, no two runs are the same.
pub fn repeats(place: Place) -> usize {
    let alone = env::var_os("NEAP_SEARCH_SEED").is_some();
    if alone && place == Place::Threads {
        200
    } else {
        1
    }
}

fn regressions(place: Place) -> impl Iterator<Item = u64> {
    let lines = REGRESSIONS.lines().filter_map(move |line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let is_here = words.next()? == place.name();
        words.next().filter(|_| is_here)?.parse().ok()
    });
    lines.collect::<Vec<_>>().into_iter()
}

/// The guarantees that are not checked: `NEAP_SEARCH_SKIP=g07,g12_cancel`.
pub fn skip() -> Vec<String> {
    let skip: String = variable("NEAP_SEARCH_SKIP").unwrap_or_default();
    let names = skip
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// What no scenario is to have, such as hides everything else while it is broken:
/// `NEAP_SEARCH_WITHOUT=cancel,restart,nested`.
pub fn is_without(what: &str) -> bool {
    let without: String = variable("NEAP_SEARCH_WITHOUT").unwrap_or_default();
    without.split(',').any(|one| one.trim() == what)
}

/// Whether to go on after a breach, to see which others there are.
pub fn goes_on() -> bool {
    env::var_os("NEAP_SEARCH_GO_ON").is_some()
}
