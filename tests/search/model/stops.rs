//! Guarantees 4 to 6 and 12: stops. What `stop` has done when it returns, 14, and what tokens say
//! afterwards, 20, is looked at while the group runs.

use neap::Cause;

use crate::history::{earliest, is_addition};
use crate::record::{History, Kind, What};

/// The first cause wins: every service is told the same, unless it was stopped alone.
pub fn g04_one_cause(history: &History) -> Result<(), String> {
    let Some(cause) = history.told_outcome().and_then(|told| told.cause.clone()) else {
        return Ok(());
    };
    let mut members = history.members(0).into_iter();
    let any_alone = members.any(|index| history.alone(index).is_some())
        || history
            .members(0)
            .into_iter()
            .any(|index| history.may_be_late(index).is_some());
    for event in &history.events {
        let What::Told(index, told) = &event.what else {
            continue;
        };
        let is_outer = history.scenario.services[*index].group == 0;
        let is_alone = any_alone && *told == Some(Cause::Requested);
        if is_outer && !is_alone && told.as_ref() != Some(&cause) {
            return Err(format!(
                "s{index} was told {told:?}, the cause is {cause:?}"
            ));
        }
    }
    Ok(())
}

/// A stop before `run` is remembered: nothing starts.
pub fn g05_stop_before_run(history: &History) -> Result<(), String> {
    let opening = history.find(&What::Opening);
    let stopped = history.first(|what| matches!(what, What::Stopped(0, _)));
    if !matches!((stopped, opening), (Some(stopped), Some(opening)) if stopped < opening) {
        return Ok(());
    }
    if let Some(called) = history.first(|what| matches!(what, What::Called(_))) {
        return Err(format!(
            "stopped before `run`, and {:?}",
            history.events[called].what
        ));
    }
    for index in history.members(0) {
        let line = history.line(index).map(|line| line.exit);
        // The destructor of what it captured may have panicked.
        let panicked = history.find(&What::Panics(index)).is_some();
        if !panicked && !matches!(line, Some(Kind::NotStarted) | None) {
            return Err(format!("s{index} is told to be {line:?}"));
        }
    }
    Ok(())
}

/// After the stop nobody is taken in.
pub fn g06_refused_after_stop(history: &History) -> Result<(), String> {
    for (index, service) in history.scenario.present() {
        let group = service.group;
        let stopped = history.first(|what| matches!(what, What::Stopped(of, _) if *of == group));
        let added = history.first(|what| is_addition(what, index));
        if let (Some(stopped), Some(added)) = (stopped, added) {
            let is_late = service.late && added > stopped;
            if is_late && history.find(&What::Added(index)).is_some() {
                return Err(format!("s{index} was taken in after the stop"));
            }
        }
    }
    Ok(())
}

/// Before any stop nobody is refused who does not mind to wait.
pub fn g06_taken_before_stop(history: &History) -> Result<(), String> {
    let first_stop = history.first_stop().unwrap_or(usize::MAX);
    for (index, _) in history.scenario.present() {
        let is_tried = history.has(|what| *what == What::Trying(index));
        let refused = history.find(&What::Refused(index));
        let is_kept_alive = history.members(0).into_iter().any(|other| {
            let plan = history.plan(other);
            !plan.late && !plan.background && plan.start_timeout.is_none()
        });
        let too_soon = refused.is_some_and(|refused| refused < first_stop);
        if !is_tried && is_kept_alive && too_soon && history.first_start_timeout().is_none() {
            return Err(format!(
                "s{index} was refused, and nothing had been stopped"
            ));
        }
    }
    Ok(())
}

/// A second item of a source, or a cancel, has all services dropped, and nothing is waited for.
pub fn g12_cancel_at_once(history: &History) -> Result<(), String> {
    let second = history.all(|what| *what == What::Item).nth(1);
    let cancel = history.find(&What::Cancelling(0));
    let cancelled = earliest(second, cancel);
    let (true, Some(cancelled)) = (history.is_timed(), cancelled) else {
        return Ok(());
    };
    for index in history.members(0) {
        if let (Some(_), Some(ended)) = (history.called(index), history.ended(index)) {
            let (from, to) = (history.at(cancelled), history.at(ended));
            if to > from + 1 {
                return Err(format!(
                    "cancelled at {from} ms, and s{index} is gone at {to} ms"
                ));
            }
        }
    }
    Ok(())
}
