//! Which groups are searched, and what is found in plans that are wrong.

use std::time::Instant;

use super::moves::Scope;
use super::rules::Wrong;
use super::search::{Figures, Setup, search};

const LIMITS: [Option<usize>; 3] = [None, Some(1), Some(2)];

const ALL: Scope = Scope {
    late: 0,
    fine: false,
    cancel: true,
    stop_one: true,
    alone: false,
    abuse: false,
};

/// The group drains, and nothing else.
const CALM: Scope = Scope {
    cancel: false,
    stop_one: false,
    ..ALL
};

const CALM_STEPS: Scope = Scope { fine: true, ..CALM };

/// Returns all groups of this many services: all graphs, each service in the foreground or not.
fn setups(services: usize, limits: &[Option<usize>]) -> Vec<Setup> {
    let mut all = vec![Vec::new()];
    for index in 0..services {
        let longer = |setup: &Vec<(u8, bool)>| {
            let setup = setup.clone();
            (0..2_u8 << index).map(move |choice| {
                let mut setup = setup.clone();
                setup.push((choice >> 1, choice & 1 == 1));
                setup
            })
        };
        all = all.iter().flat_map(longer).collect();
    }
    let with_limits = |services: Vec<(u8, bool)>| {
        limits.iter().map(move |&limit| Setup {
            services: services.clone(),
            limit,
        })
    };
    all.into_iter().flat_map(with_limits).collect()
}

/// Searches all groups of this many services; prints how much that was.
fn search_all(services: usize, limits: &[Option<usize>], scope: Scope) {
    let (since, mut all) = (Instant::now(), Figures::default());
    for setup in setups(services, limits) {
        all += search(&setup, &scope, None);
    }
    println!(
        "{services} services and {} late: {} groups, {} states, {} transitions, {:.1?}; {scope:?}",
        scope.late,
        all.setups,
        all.states,
        all.transitions,
        since.elapsed()
    );
}

#[test]
fn g7_g16_g17_hold_in_all_groups_of_two_whatever_happens() {
    for services in 0..=2 {
        search_all(services, &LIMITS, Scope { abuse: true, ..ALL });
    }
}

#[test]
fn g7_g16_g17_hold_in_all_groups_of_two_with_cancels_and_failures_of_one() {
    let scope = Scope { alone: true, ..ALL };
    search_all(2, &LIMITS, scope);
    search_all(1, &LIMITS, Scope { late: 1, ..scope });
}

#[test]
#[ignore = "takes minutes: to be run with --release"]
fn g7_g16_g17_hold_in_all_groups_of_three_with_cancels_and_failures_of_one() {
    let scope = Scope {
        alone: true,
        cancel: false,
        ..ALL
    };
    search_all(3, &LIMITS, scope);
    search_all(2, &LIMITS, Scope { late: 1, ..scope });
}

#[test]
fn g7_g16_g17_hold_in_all_groups_of_two_one_of_them_late() {
    for services in 0..=1 {
        search_all(services, &LIMITS, Scope { late: 1, ..ALL });
    }
}

#[test]
fn g7_g16_g17_hold_in_all_groups_of_two_step_by_step() {
    search_all(2, &[None], CALM_STEPS);
    search_all(1, &LIMITS, Scope { fine: true, ..ALL });
}

#[test]
fn g7_g16_g17_hold_in_all_groups_of_three_that_drain() {
    search_all(3, &LIMITS, CALM);
}

#[test]
#[ignore = "takes minutes: to be run with --release"]
fn g7_g16_g17_hold_in_all_groups_of_three_whatever_happens() {
    search_all(3, &LIMITS, Scope { abuse: true, ..ALL });
}

#[test]
#[ignore = "takes minutes: to be run with --release"]
fn g7_g16_g17_hold_in_all_groups_of_three_one_of_them_late() {
    search_all(2, &LIMITS, Scope { late: 1, ..ALL });
}

#[test]
#[ignore = "takes minutes: to be run with --release"]
fn g7_g16_g17_hold_in_all_groups_of_two_step_by_step_whatever_happens() {
    search_all(2, &LIMITS, Scope { fine: true, ..ALL });
    search_all(
        1,
        &LIMITS,
        Scope {
            fine: true,
            late: 1,
            cancel: false,
            ..ALL
        },
    );
}

#[test]
#[ignore = "takes minutes: to be run with --release"]
fn g7_g16_g17_hold_in_all_groups_of_four_that_drain() {
    search_all(4, &LIMITS, CALM);
}

#[test]
#[ignore = "takes minutes: to be run with --release"]
fn g7_g16_g17_hold_in_all_groups_of_four_some_of_them_late() {
    search_all(1, &LIMITS, Scope { late: 2, ..CALM });
    search_all(2, &LIMITS, Scope { late: 2, ..CALM });
}

/// Searches small groups with a plan that is wrong.
fn find(wrong: Wrong, services: usize, limits: &[Option<usize>], scope: Scope) {
    for setup in setups(services, limits) {
        search(&setup, &scope, Some(wrong));
    }
}

#[test]
#[should_panic = "was told before the last (G16)"]
fn finds_a_plan_that_finds_no_last() {
    find(Wrong::FindsNoLast, 3, &[None], ALL);
}

#[test]
#[should_panic = "was told before the last (G16)"]
fn finds_a_plan_that_tells_the_last_early() {
    find(Wrong::TellsLastEarly, 3, &[None], ALL);
}

#[test]
#[should_panic = "has started before its needs were ready (G7)"]
fn finds_a_plan_that_holds_none() {
    find(Wrong::HoldsNone, 2, &[None], ALL);
}

#[test]
#[should_panic = "waits though a turn is free (G17)"]
fn finds_a_plan_that_keeps_turns() {
    find(Wrong::KeepsTurns, 2, &[Some(1)], ALL);
}

#[test]
#[should_panic = "was not told"]
fn finds_a_plan_that_takes_gone_for_ready() {
    find(
        Wrong::TakesGoneForReady,
        2,
        &[None],
        Scope { abuse: true, ..ALL },
    );
}

#[test]
#[should_panic = "was not told"]
fn finds_a_plan_that_ignores_all() {
    find(Wrong::IgnoresAll, 2, &[None], ALL);
}

#[test]
#[should_panic = "was told while another needs it (G7)"]
fn finds_a_plan_that_tells_the_needed() {
    find(Wrong::TellsNeeded, 2, &[None], ALL);
}

#[test]
#[should_panic = "was told while another needs it (G7)"]
fn finds_a_plan_that_stops_one_without_dependents() {
    find(Wrong::StopsOneWithoutDependents, 2, &[None], ALL);
}

#[test]
#[should_panic = "was told while another needs it (G7)"]
fn finds_a_plan_that_cancels_one_without_dependents() {
    let scope = Scope { alone: true, ..ALL };
    find(Wrong::CancelsOneWithoutDependents, 2, &[None], scope);
}

#[test]
#[should_panic = "was not cancelled"]
fn finds_a_plan_that_forgets_to_cancel() {
    let scope = Scope { alone: true, ..ALL };
    find(Wrong::ForgetsToCancel, 2, &[None], scope);
}

#[test]
#[should_panic = "has started before its needs were ready (G7)"]
fn finds_a_plan_that_takes_failed_for_ready() {
    let scope = Scope { alone: true, ..ALL };
    find(Wrong::TakesFailedForReady, 2, &[None], scope);
}

#[test]
#[should_panic = "was not told"]
fn finds_a_plan_that_misses_gone() {
    find(Wrong::MissesGone, 1, &[None], Scope { late: 1, ..ALL });
}

#[test]
#[should_panic = "is needed while it stops"]
fn finds_a_plan_that_admits_any() {
    find(Wrong::AdmitsAny, 1, &[None], Scope { late: 1, ..ALL });
}

#[test]
#[should_panic = "has started before its needs were ready (G7)"]
fn finds_a_start_that_looks_at_the_stop_first() {
    find(Wrong::LooksAtStopFirst, 2, &[None], CALM_STEPS);
}

#[test]
#[should_panic = "waits though a turn is free (G17)"]
fn finds_a_start_that_lines_up_what_has_ended() {
    let setup = Setup {
        services: vec![(0, false), (1, false)],
        limit: Some(2),
    };
    search(&setup, &Scope { late: 1, ..ALL }, Some(Wrong::LinesUpGone));
}
