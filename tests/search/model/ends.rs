//! Guarantees 9 to 11, 15 and 19: how services, and the group, end.

use neap::Cause;

use crate::record::{Ending, History, Kind, What};
use crate::scenario::Place;

/// At its deadline a service is gone, with its children.
pub fn g09_gone_by_deadline(history: &History) -> Result<(), String> {
    if !history.is_timed() {
        return Ok(());
    }
    let stopped = history
        .find(&What::Stopped(0, true))
        .map(|stop| history.at(stop));
    let group = history.scenario.groups[0].drain_timeout;
    for index in history.members(0) {
        let (Some(_), Some(ended)) = (history.called(index), history.ended(index)) else {
            continue;
        };
        let told = history.told(index).map(|told| history.at(told));
        let own = history.plan(index).drain_timeout;
        for (from, timeout) in [(stopped, group), (told, own)] {
            if let (Some(from), Some(timeout)) = (from, timeout) {
                let at = history.at(ended);
                // The clock moves by whole milliseconds.
                if at > from + timeout + 1 {
                    return Err(format!(
                        "s{index}: stop at {from} ms, {timeout} ms to drain, gone at {at} ms"
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Before its deadline a service is not dropped, unless somebody cancels.
pub fn g09_not_before_deadline(history: &History) -> Result<(), String> {
    let items = history.all(|what| *what == What::Item).count();
    let cancelled = items > 1
        || history.has(|what| matches!(what, What::Cancelling(_) | What::Dropping))
        || history
            .scenario
            .groups
            .iter()
            .any(|group| group.eager_source);
    let Some(stop) = history.first_stop_time() else {
        return Ok(());
    };
    if cancelled || !history.is_timed() || history.told_outcome().is_none() {
        return Ok(());
    }
    for index in history.members(0) {
        let (Some(_), Some(gone)) = (history.called(index), history.gone(index)) else {
            continue;
        };
        let group = history.scenario.groups[0].drain_timeout;
        let own = history.plan(index).drain_timeout;
        let timeout = group.unwrap_or(u64::MAX).min(own.unwrap_or(u64::MAX));
        let at = history.at(gone);
        let is_alone = history.has(|what| *what == What::CancellingOne(index));
        if !is_alone && !history.ended_itself(index) && at < stop.saturating_add(timeout) {
            return Err(format!(
                "s{index}: no stop before {stop} ms, {timeout} ms to drain, dropped at {at} ms"
            ));
        }
    }
    Ok(())
}

/// `run` returns: what waits for the stop ends, and what does not has a deadline.
pub fn g10_returns(history: &History) -> Result<(), String> {
    match &history.ending {
        Ending::Hung(status) => Err(format!("`run` does not return: {status}")),
        _ => Ok(()),
    }
}

/// When `run` returns, every service is gone with its children, or is named as abandoned: itself,
/// or the service that runs its group.
pub fn g10_all_gone(history: &History) -> Result<(), String> {
    let (Some(told), Some(returned)) = (history.told_outcome(), history.find(&What::Returned))
    else {
        return Ok(());
    };
    for (index, service) in history.scenario.present() {
        if history.called(index).is_none() {
            continue;
        }
        let is_gone = history.ended(index).is_some_and(|ended| ended < returned);
        let owner = history.scenario.owner(service.group);
        let is_named = history.is_abandoned(index)
            || owner.is_some_and(|owner| history.is_abandoned(owner))
            || service.group != 0 && told.text.contains(&format!("`s{index}`"));
        if !is_gone && !is_named {
            return Err(format!(
                "`run` returned, and s{index} is there, unnamed: {}",
                told.text
            ));
        }
    }
    Ok(())
}

/// What the outcome tells of a service is what became of it.
pub fn g10_exits(history: &History) -> Result<(), String> {
    let Some(told) = history.told_outcome() else {
        return Ok(());
    };
    let untold = history
        .members(0)
        .into_iter()
        .filter(|&index| history.line(index).is_none());
    let (untold, unreported) = (untold.count() as u64, told.unreported);
    if untold != unreported {
        return Err(format!(
            "{untold} have no report, and {unreported} are counted"
        ));
    }
    for index in history.members(0) {
        let called = history.called(index).is_some();
        let well = history.find(&What::ReturnsWell(index)).is_some();
        let restarts = history.plan(index).restarts.is_some();
        let may_block = history.scenario.has_blocker() && history.scenario.place == Place::Threads;
        let is_true = match history.line(index).map(|line| line.exit) {
            None => restarts || leaves_nothing(history, index),
            Some(Kind::Finished) => called && (well || restarts),
            Some(Kind::Failed | Kind::Panicked) => true,
            // Cancelled at its start, one that is restarted may not have had a run.
            Some(Kind::Cancelled) => (called || restarts) && !well,
            // One that is cancelled alone has had no turn in time, if another one blocks.
            Some(Kind::Abandoned) => {
                may_block || history.scenario.has_blocker() && history.alone(index).is_some()
            }
            Some(Kind::NotStarted) => !called,
        };
        if !is_true {
            let line = history.line(index);
            return Err(format!(
                "s{index}: called {called}, returned well {well}, told: {line:?}"
            ));
        }
    }
    Ok(())
}

/// Whether a service need not be told of for ever: a handle added it, and it has not failed, or its
/// failure is ignored.
fn leaves_nothing(history: &History, index: usize) -> bool {
    let plan = history.plan(index);
    plan.late && (history.failed(index).is_none() || plan.ignores)
}

/// Dropping the future of `run` drops every service: in place at once, elsewhere soon.
pub fn g11_gone_with_run(history: &History) -> Result<(), String> {
    let (Ending::Dropped, Some(dropped)) = (&history.ending, history.find(&What::Dropped)) else {
        return Ok(());
    };
    for (index, service) in history.scenario.present() {
        if history.called(index).is_none() {
            continue;
        }
        let in_place = history.scenario.groups[0].here && service.group == 0;
        let by = if in_place { dropped } else { usize::MAX };
        if history.ended(index).is_none_or(|ended| ended > by) {
            return Err(format!("`run` was dropped, and s{index} is still there"));
        }
    }
    Ok(())
}

/// An empty group ends at once, and well.
pub fn g15_empty(history: &History) -> Result<(), String> {
    let any = history.has(|what| matches!(what, What::Adding(..) | What::Trying(_)));
    let Some(told) = history.told_outcome().filter(|_| !any) else {
        return Ok(());
    };
    let stopped =
        history.has(|what| matches!(what, What::Stopping(0) | What::Cancelling(0) | What::Item));
    let well = told.is_ok && (stopped || told.cause == Some(Cause::Ended));
    let returned = history.find(&What::Returned);
    let at_once = history.scenario.place == Place::Threads
        || returned.is_some_and(|returned| history.at(returned) == 0);
    if well && at_once {
        Ok(())
    } else {
        Err(told.text.clone())
    }
}

/// A service that was cancelled is a straggler, and `run` tells of it.
pub fn g19_stragglers(history: &History) -> Result<(), String> {
    let Some(told) = history.told_outcome() else {
        return Ok(());
    };
    for (index, line) in &told.reports {
        let cut_off = matches!(line.exit, Kind::Cancelled | Kind::Abandoned);
        let is_alone = history.has(|what| *what == What::CancelledOne(*index, true));
        if cut_off && !line.is_straggler && !is_alone {
            return Err(format!("s{index} is {:?}, and no straggler", line.exit));
        }
        if line.is_straggler && (told.is_ok || !told.text.contains(&format!("`s{index}`"))) {
            return Err(format!(
                "s{index} is a straggler, and not named: {}",
                told.text
            ));
        }
    }
    Ok(())
}
