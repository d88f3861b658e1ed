//! The reference model: the guarantees of the crate, one by one, as they can be read off a run.
//!
//! Each function is named for its guarantee and answers how the run broke it. What is not promised
//! is left out, and where threads race, only that is asked for which holds in any order of events.
//! Not here, as no group of this search can show it: 13 (registration of signals), 18 (the search
//! itself runs everywhere), 21 (what stays behind is counted in `tests/promises`).

mod alone;
mod children;
mod ends;
mod failures;
mod order;
mod stops;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::record::{Ending, History, What};

/// How a run broke a guarantee.
#[derive(Clone, Debug)]
pub struct Breach {
    pub guarantee: &'static str,
    pub how: String,
}

type Check = fn(&History) -> Result<(), String>;

/// All that is checked, by name.
const CHECKS: [(&str, Check); 40] = [
    ("g01_first_failure", failures::g01_first_failure),
    ("g01_nothing_failed", failures::g01_nothing_failed),
    ("g01_later_failures", failures::g01_later_failures),
    (
        "g02_well_ended_stops_nobody",
        failures::g02_well_ended_stops_nobody,
    ),
    ("g03_no_panic_escapes", failures::g03_no_panic_escapes),
    ("g03_panic_is_failure", failures::g03_panic_is_failure),
    ("g04_one_cause", stops::g04_one_cause),
    ("g05_stop_before_run", stops::g05_stop_before_run),
    ("g06_refused_after_stop", stops::g06_refused_after_stop),
    ("g06_taken_before_stop", stops::g06_taken_before_stop),
    ("g07_starts_when_ready", order::g07_starts_when_ready),
    ("g07_told_after_users", order::g07_told_after_users),
    ("g07_dropped_after_users", order::g07_dropped_after_users),
    ("g07_unstarted_in_order", order::g07_unstarted_in_order),
    ("g07_draining_not_needed", order::g07_draining_not_needed),
    ("g07_started_means_ready", order::g07_started_means_ready),
    ("g08_start_times_out", order::g08_start_times_out),
    ("g09_gone_by_deadline", ends::g09_gone_by_deadline),
    ("g09_not_before_deadline", ends::g09_not_before_deadline),
    ("g10_returns", ends::g10_returns),
    ("g10_all_gone", ends::g10_all_gone),
    ("g10_exits", ends::g10_exits),
    ("g11_gone_with_run", ends::g11_gone_with_run),
    ("g12_cancel_at_once", stops::g12_cancel_at_once),
    ("g15_empty", ends::g15_empty),
    ("g16_background_last", order::g16_background_last),
    ("g17_limit", order::g17_limit),
    ("g17_in_order", order::g17_in_order),
    ("g19_stragglers", ends::g19_stragglers),
    ("alone_once", alone::cancelled_once),
    ("alone_news", alone::not_in_vain),
    ("alone_gone", alone::gone_at_once),
    ("alone_exit", alone::exit),
    ("alone_starts", alone::starts_once_ready),
    ("alone_in_vain", alone::dropped_in_vain),
    ("child_aborted", children::aborted),
    ("child_joined", children::joined),
    ("child_none", children::none_has_a_reason),
    ("ended_means_gone", alone::ended_means_gone),
    ("ended_is_seen", alone::end_is_seen),
];

/// The names of all guarantees but one: what is seen broken while the group runs, and what is
/// checked afterwards.
pub fn all_but(guarantee: &str) -> Vec<String> {
    let seen = ["g03", "g04", "g06", "g14", "g20", "g22"].into_iter();
    let more = ["alone_told", "child_value", "child_gone", "child_failure"].into_iter();
    let names = CHECKS.iter().map(|(name, _)| *name).chain(seen).chain(more);
    let others = names.filter(|name| !guarantee.starts_with(name));
    others.map(str::to_owned).collect()
}

/// The first guarantee that a run broke. Those whose name begins with one of `skip` are left out.
pub fn check(history: &History, skip: &[String]) -> Option<Breach> {
    let is_skipped = |name: &str| skip.iter().any(|skip| name.starts_with(skip.as_str()));
    for event in &history.events {
        if let What::Broken(guarantee, how) = &event.what {
            if !is_skipped(guarantee) {
                return Some(Breach {
                    guarantee,
                    how: how.clone(),
                });
            }
        }
    }
    // Once a panic has escaped, nothing else can be asked for.
    let escaped = history.has(|what| matches!(what, What::Broken("g03", _)));
    let panicked = escaped || matches!(history.ending, Ending::Panicked(_));
    for (guarantee, check) in CHECKS {
        if is_skipped(guarantee) || panicked && !guarantee.starts_with("g03") {
            continue;
        }
        let checked = catch_unwind(AssertUnwindSafe(|| check(history)));
        if let Err(how) = checked.unwrap_or_else(|_| Err("the check itself panicked".into())) {
            return Some(Breach { guarantee, how });
        }
    }
    None
}
