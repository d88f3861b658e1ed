//! Makes a scenario that breaks a guarantee smaller, as long as it breaks the same one.

use std::time::{Duration, Instant};

use crate::model::{self, Breach};
use crate::record::History;
use crate::run;
use crate::scenario::{Hazard, Place, Scenario, Step};

/// How long shrinking may take. A run that hangs takes seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// How often a scenario on threads is run before it counts as harmless.
const TRIES: usize = 30;

/// Whether a scenario breaks this guarantee.
fn breaks(scenario: &Scenario, guarantee: &str, until: Instant) -> Option<(History, Breach)> {
    let tries = if scenario.place == Place::Threads {
        TRIES
    } else {
        1
    };
    // Whatever else it breaks is another matter.
    let others = model::all_but(guarantee);
    let only = |breach: &Breach| breach.guarantee == guarantee;
    for _ in 0..tries {
        let history = run::run(scenario);
        if let Some(breach) = model::check(&history, &others).filter(only) {
            return Some((history, breach));
        }
        if Instant::now() > until {
            return None;
        }
    }
    None
}

/// The run of the smallest scenario found that breaks the same guarantee, and how.
pub fn shrink(mut history: History, mut breach: Breach) -> (History, Breach) {
    let until = Instant::now() + LIMIT;
    let mut found = true;
    while found && Instant::now() < until {
        found = false;
        let mut next = 0;
        // The list is made anew after each success; what was tried in vain is not tried again.
        while let Some(smaller) = smaller(&history.scenario).into_iter().nth(next) {
            if Instant::now() > until {
                break;
            }
            match breaks(&smaller, breach.guarantee, until) {
                Some(again) => {
                    (history, breach) = again;
                    found = true;
                }
                None => next += 1,
            }
        }
    }
    (history, breach)
}

/// Makes one more scenario, by a change of the one that is shrunk.
type With<'w> = dyn FnMut(&dyn Fn(&mut Scenario)) + 'w;

/// All scenarios that are one step smaller, the boldest step first.
fn smaller(scenario: &Scenario) -> Vec<Scenario> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut Scenario)| {
        let mut one = scenario.clone();
        change(&mut one);
        all.push(one);
    };
    for (index, _) in scenario.present() {
        with(&|one| one.services[index].absent = true);
    }
    let actions = scenario.actions.iter().enumerate();
    for (index, _) in actions.filter(|(_, planned)| planned.may_go()) {
        with(&|one| {
            one.actions.remove(index);
        });
    }
    for (index, service) in scenario.present() {
        for step in 0..service.steps.len() {
            with(&|one| drop(one.services[index].steps.remove(step)));
            match &service.steps[step] {
                Step::Spawn(steps) if !steps.is_empty() => {
                    with(&|one| one.services[index].steps[step] = Step::Spawn(Vec::new()));
                }
                Step::Keep(steps) if !steps.is_empty() => {
                    with(&|one| one.services[index].steps[step] = Step::Keep(Vec::new()));
                }
                _ => {}
            }
        }
        for need in 0..service.needs.len() {
            with(&|one| {
                one.services[index].needs.remove(need);
            });
        }
    }
    simpler_options(scenario, &mut with);
    all
}

fn simpler_options(scenario: &Scenario, with: &mut With<'_>) {
    for (index, service) in scenario.present() {
        if service.hazard != Hazard::None {
            with(&|one| one.services[index].hazard = Hazard::None);
        }
        if service.restarts.is_some() {
            with(&|one| one.services[index].restarts = None);
        }
        if service.background {
            with(&|one| one.services[index].background = false);
        }
        if service.ignores {
            with(&|one| one.services[index].ignores = false);
        }
        if service.stops_group {
            with(&|one| one.services[index].stops_group = false);
        }
        if service.starting && service.start_timeout.is_none() {
            with(&|one| one.services[index].starting = false);
        }
        if service.start_timeout.is_some() {
            with(&|one| one.services[index].start_timeout = None);
        }
        if service.drain_timeout.is_some() {
            with(&|one| one.services[index].drain_timeout = None);
        }
        if service.late {
            with(&|one| one.services[index].late = false);
        }
    }
    for (index, group) in scenario.groups.iter().enumerate() {
        if group.limit.is_some() {
            with(&|one| one.groups[index].limit = None);
        }
        if group.drain_timeout.is_some() {
            with(&|one| one.groups[index].drain_timeout = None);
        }
        if group.eager_source {
            with(&|one| one.groups[index].eager_source = false);
        }
        if group.spawn_panics.is_some() {
            with(&|one| one.groups[index].spawn_panics = None);
        }
    }
    if scenario.recorded {
        with(&|one| one.recorded = false);
    }
    if scenario.dropped_at.is_some() {
        with(&|one| one.dropped_at = None);
    }
}
