//! Guarantees 7, 8, 16 and 17: who starts when, and who is told when.

use crate::history::earliest;
use crate::record::{History, What};

/// A service starts only once what it needs is ready.
pub fn g07_starts_when_ready(history: &History) -> Result<(), String> {
    for (user, needed) in history.needs() {
        let Some(called) = history.called(user) else {
            continue;
        };
        if history.ready(needed).is_none_or(|ready| ready > called) {
            return Err(format!(
                "s{user} was started before s{needed}, which it needs, was ready"
            ));
        }
    }
    Ok(())
}

/// A service is told to stop only after all who need it have ended.
pub fn g07_told_after_users(history: &History) -> Result<(), String> {
    for (user, needed) in history.needs() {
        let (Some(_), Some(told)) = (history.called(user), history.told(needed)) else {
            continue;
        };
        let ended = history.ended(user).is_some_and(|ended| ended < told);
        // Whether one that leaves can be needed at all is another question, asked below.
        let spared = history.is_abandoned(user) || may_have_been_leaving(history, user, needed);
        if !ended && !spared {
            return Err(format!(
                "s{needed} was told to stop before s{user}, which needs it, ended"
            ));
        }
    }
    Ok(())
}

/// Whether a service was gone, or asked to stop alone, before the one that needs it was added.
fn was_leaving(history: &History, user: usize, needed: usize) -> bool {
    let alone = history.below(needed).into_iter();
    let alone = alone.filter_map(|below| history.alone(below));
    let left = earliest(history.gone(needed), alone.min());
    // The decision falls somewhere while it is added.
    let taken = history.find(&What::Added(user)).or(history.added(user));
    matches!((left, taken), (Some(left), Some(taken)) if left < taken)
}

/// The same, or it may have been stopped as its start took too long.
fn may_have_been_leaving(history: &History, user: usize, needed: usize) -> bool {
    let late = history.below(needed).into_iter();
    let late = late.filter_map(|below| history.may_be_late(below)).min();
    let taken = history.find(&What::Added(user)).or(history.added(user));
    was_leaving(history, user, needed)
        || matches!((late, taken), (Some(late), Some(taken)) if late < taken)
}

/// A service that is cancelled is dropped after all who need it.
pub fn g07_dropped_after_users(history: &History) -> Result<(), String> {
    for (user, needed) in history.needs() {
        let both = history.called(user).is_some() && history.called(needed).is_some();
        let spared = history.is_abandoned(user) || may_have_been_leaving(history, user, needed);
        if !both || history.ended_itself(needed) || spared {
            continue;
        }
        if let (Some(first), Some(then)) = (history.ended(user), history.gone(needed)) {
            if then < first {
                return Err(format!(
                    "s{needed} was dropped before s{user}, which needs it"
                ));
            }
        }
    }
    Ok(())
}

/// Of what never started, too, the needed is dropped last.
pub fn g07_unstarted_in_order(history: &History) -> Result<(), String> {
    for (user, needed) in history.needs() {
        let any_called = history.called(user).is_some() || history.called(needed).is_some();
        // One whose spawn panics is dropped then and there.
        let group = history.plan(needed).group;
        let may_be_lost = history.scenario.groups[group].spawn_panics.is_some();
        // One that was abandoned is not waited for.
        let is_excused = may_be_lost || history.is_abandoned(user);
        if any_called || is_excused || may_have_been_leaving(history, user, needed) {
            continue;
        }
        if let (Some(first), Some(then)) = (history.gone(user), history.gone(needed)) {
            if then < first {
                return Err(format!(
                    "s{needed} was dropped before s{user}; neither had started"
                ));
            }
        }
    }
    Ok(())
}

/// One that is being stopped already cannot be needed any more.
pub fn g07_draining_not_needed(history: &History) -> Result<(), String> {
    for (user, needed) in history.needs() {
        let (Some(told), Some(added)) = (history.told(needed), history.added(user)) else {
            continue;
        };
        // The decision falls somewhere while it is added.
        let taken = history.find(&What::Added(user)).unwrap_or(added);
        let was_there = history.gone(needed).is_none_or(|gone| gone > taken);
        // One that was asked to stop before may have seen it only later.
        let ended = history.ended(user).unwrap_or(usize::MAX);
        let ran_on = history.called(user).is_some() && told < ended;
        let was_told = told < added || was_leaving(history, user, needed) && ran_on;
        if was_told && was_there && history.find(&What::Added(user)).is_some() {
            return Err(format!(
                "s{user} was taken in though s{needed}, which it needs, drains"
            ));
        }
    }
    Ok(())
}

/// When `started` returns well, each service that was there at the start is ready, or has ended.
pub fn g07_started_means_ready(history: &History) -> Result<(), String> {
    for (number, event) in history.events.iter().enumerate() {
        let What::Started(group) = event.what else {
            continue;
        };
        for index in history.members(group) {
            let is_early = !history.scenario.services[index].late;
            let up = earliest(history.ready(index), history.gone(index));
            if is_early && up.is_none_or(|up| up > number) && !history.any_abandoned() {
                return Err(format!("the group has started, and s{index} is not ready"));
            }
        }
    }
    Ok(())
}

/// A start that takes too long is a failure.
pub fn g08_start_times_out(history: &History) -> Result<(), String> {
    let (true, Some(told)) = (history.is_timed(), history.told_outcome()) else {
        return Ok(());
    };
    let Some((index, due)) = history.first_start_timeout() else {
        return Ok(());
    };
    let is_ready = history
        .ready(index)
        .is_some_and(|ready| history.at(ready) <= due);
    let stopped = history
        .first_stop()
        .is_some_and(|stop| history.at(stop) <= due);
    let is_told = history
        .told(index)
        .is_some_and(|told| history.at(told) <= due);
    let failed = !told.failures.is_empty() || !told.ignored.is_empty();
    // One that left nothing behind need not be told of.
    let is_told = is_told || history.line(index).is_none();
    if !is_ready && !stopped && !is_told && !failed {
        return Err(format!(
            "s{index} was not ready at {due} ms, and nothing failed"
        ));
    }
    Ok(())
}

/// A background service that needs nothing else is told after all that are not in the background.
pub fn g16_background_last(history: &History) -> Result<(), String> {
    if history.any_abandoned() {
        return Ok(());
    }
    let dropping = history.find(&What::Dropping).unwrap_or(usize::MAX);
    let members = history.members(0);
    for &last in members.iter().filter(|&&index| is_last(history, index)) {
        let told = history.told(last).filter(|told| *told < dropping);
        let dropped = history.gone(last).filter(|gone| *gone < dropping);
        let dropped = dropped.filter(|_| !history.ended_itself(last));
        let Some(end) = earliest(told, dropped) else {
            continue;
        };
        for &other in members
            .iter()
            .filter(|&&other| !history.plan(other).background)
        {
            let started = history.called(other).is_some();
            if started && history.ended(other).is_none_or(|ended| ended > end) {
                return Err(format!(
                    "s{last}, in the background, was told before s{other} ended"
                ));
            }
        }
    }
    Ok(())
}

/// Whether a service is to be stopped last: it was called, it and all it needs are in the
/// background, and none of them was stopped alone.
fn is_last(history: &History, index: usize) -> bool {
    let mut below = history.below(index).into_iter();
    history.called(index).is_some()
        && !history.went_alone(index)
        && below.all(|index| history.plan(index).background)
}

/// At most n services run at once.
pub fn g17_limit(history: &History) -> Result<(), String> {
    let Some(limit) = history.scenario.groups[0].limit else {
        return Ok(());
    };
    if history.any_abandoned() {
        return Ok(());
    }
    let end = history.find(&What::Dropping).unwrap_or(usize::MAX);
    let mut changes = Vec::new();
    for index in history.members(0) {
        if history.plan(index).background {
            continue;
        }
        if let Some(called) = history.called(index) {
            changes.push((called, 1));
            changes.push((history.ended(index).unwrap_or(usize::MAX), -1));
        }
    }
    changes.sort_unstable();
    let mut running = 0;
    for (number, change) in changes {
        running += change;
        if number < end && running > limit as i64 {
            return Err(format!("{running} services run, the limit is {limit}"));
        }
    }
    Ok(())
}

/// Those that wait for their turn have it in the order in which they were added.
pub fn g17_in_order(history: &History) -> Result<(), String> {
    let by_hand = history.scenario.place != crate::scenario::Place::Threads;
    if !by_hand || history.scenario.groups[0].limit.is_none() {
        return Ok(());
    }
    let needs = history.needs();
    let waits_for_turn = |index: &usize| {
        let plan = history.plan(*index);
        let is_free = needs.iter().all(|(user, _)| user != index);
        is_free && !plan.late && !plan.background
    };
    let members = history.members(0).into_iter().filter(waits_for_turn);
    let called: Vec<_> = members.filter_map(|index| history.called(index)).collect();
    if called.is_sorted() {
        Ok(())
    } else {
        Err("the turns were not given in order".into())
    }
}
