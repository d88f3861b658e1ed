//! What happens to one service while its group goes on: `cancel_one`, `ended`, failures that are
//! ignored, as the documentation of each has it.

use crate::record::{Ending, History, Kind, What};
use crate::scenario::Place;

/// How many milliseconds by the hand clock a turn may take to come.
const SOON: u64 = 3;

/// When the outer group was stopped as a whole, as far as one sees it: not before this.
fn group_stop(history: &History) -> Option<u64> {
    let number = history.first(|what| match what {
        What::Stopping(0) | What::Cancelling(0) | What::Item | What::Dropping => true,
        What::StopSeen | What::SpawnPanics(_) => true,
        What::ReturnsError(of) | What::Panics(of) | What::ChildFails(of) => {
            !history.plan(*of).ignores
        }
        What::ReturnsWell(of) => history.scenario.services[*of].stops_group,
        _ => false,
    });
    let members = history.members(0).into_iter();
    let late = members.filter_map(|index| {
        let timeout = history.plan(index).start_timeout?;
        let called = history.called(index)?;
        (!history.plan(index).ignores).then(|| history.at(called) + timeout)
    });
    let by_event = number.map(|number| history.at(number));
    by_event.into_iter().chain(late.min()).min()
}

/// Only one call of `cancel_one` says that it was the one.
pub fn cancelled_once(history: &History) -> Result<(), String> {
    for (index, _) in history.scenario.present() {
        let news = history.all(|what| *what == What::CancelledOne(index, true));
        if news.count() > 1 {
            return Err(format!("s{index} was cancelled twice"));
        }
    }
    Ok(())
}

/// `cancel_one` says no only of one that has ended or was cancelled before, and then it does.
pub fn not_in_vain(history: &History) -> Result<(), String> {
    if !history.is_timed() {
        return Ok(());
    }
    let stop = group_stop(history).unwrap_or(u64::MAX);
    for (number, event) in history.events.iter().enumerate() {
        let What::CancelledOne(index, news) = event.what else {
            continue;
        };
        if history.plan(index).group != 0 {
            continue;
        }
        let ended = history.ended(index).map(|ended| history.at(ended));
        if news && ended.is_some_and(|ended| ended + SOON < event.at) {
            return Err(format!("s{index} had ended, and was cancelled"));
        }
        let asked = history.below(index).into_iter();
        let asked = asked.filter_map(|below| {
            history.first(|what| match what {
                What::StoppingOne(of) => *of == below,
                What::CancelledOne(of, _) => *of == below,
                _ => false,
            })
        });
        let was_asked = asked.min().is_some_and(|asked| asked < number);
        // It, or one that it needs: then it may have been stopped as it waited in vain.
        let mut below = history.below(index).into_iter();
        let is_gone = below.any(|below| history.gone(below).is_some_and(|gone| gone < number));
        let may_be_late = history.below(index).into_iter();
        let may_be_late = may_be_late.filter_map(|below| history.may_be_late(below));
        let excused = was_asked || is_gone || may_be_late.count() > 0;
        if !news && !excused && event.at < stop && !any_ended_all(history, number) {
            return Err(format!("s{index} was there, and was not cancelled"));
        }
    }
    Ok(())
}

/// Whether the group may have ended as no service keeps it alive.
fn any_ended_all(history: &History, number: usize) -> bool {
    let is_gone = |index: usize| history.gone(index).is_some_and(|gone| gone < number);
    let mut members = history.members(0).into_iter();
    members.all(|index| history.plan(index).background || is_gone(index))
}

/// One that was cancelled is gone at its next turn, once those that need it have ended.
pub fn gone_at_once(history: &History) -> Result<(), String> {
    if !history.is_timed() {
        return Ok(());
    }
    for (number, event) in history.events.iter().enumerate() {
        let What::CancelledOne(index, true) = event.what else {
            continue;
        };
        let mut from = Some(number.max(history.find(&What::Opening).unwrap_or(0)));
        for (user, needed) in history.needs() {
            if needed == index {
                let ended = history.ended(user);
                from = from.zip(ended).map(|(from, ended)| from.max(ended));
            }
        }
        let Some(from) = from else {
            continue;
        };
        let ended = history.ended(index).map(|ended| history.at(ended));
        if ended.is_none_or(|ended| ended > history.at(from) + SOON) {
            return Err(format!(
                "s{index} was cancelled, and is gone at {ended:?} instead of {} ms",
                history.at(from)
            ));
        }
    }
    Ok(())
}

/// To be cancelled alone is no failure, and makes no straggler, if nothing else came first.
pub fn exit(history: &History) -> Result<(), String> {
    let items = history.all(|what| *what == What::Item).count();
    let is_hasty = items > 1
        || history.has(|what| matches!(what, What::Cancelling(_) | What::SpawnPanics(_)))
        || history
            .scenario
            .groups
            .iter()
            .any(|group| group.eager_source);
    let (true, false, Some(_)) = (history.is_timed(), is_hasty, history.told_outcome()) else {
        return Ok(());
    };
    let stop = history.first_stop_time().unwrap_or(u64::MAX);
    for index in history.members(0) {
        let cancelled = history.has(|what| *what == What::CancelledOne(index, true));
        let (true, Some(line)) = (cancelled, history.line(index)) else {
            continue;
        };
        let group = history.scenario.groups[0].drain_timeout;
        let own = history.plan(index).drain_timeout;
        let timeout = group.unwrap_or(u64::MAX).min(own.unwrap_or(u64::MAX));
        let at = history.ended(index).map_or(0, |ended| history.at(ended));
        if line.is_straggler && at < stop.saturating_add(timeout) {
            return Err(format!("s{index} was cancelled alone, and is a straggler"));
        }
        let kind = match history.called(index) {
            Some(_) => Kind::Cancelled,
            None => Kind::NotStarted,
        };
        let plan = history.plan(index);
        let may_fail = plan.restarts.is_some() || plan.start_timeout.is_some();
        if !history.ended_itself(index) && !may_fail && line.exit != kind {
            return Err(format!("s{index} was cancelled alone: {line:?}"));
        }
    }
    Ok(())
}

/// A service starts once what it needs was ready, also if that has failed since and is ignored.
pub fn starts_once_ready(history: &History) -> Result<(), String> {
    let is_free = history.scenario.groups[0].limit.is_none();
    if !history.is_timed() || !is_free || history.find(&What::Opening).is_none() {
        return Ok(());
    }
    let stop = group_stop(history).unwrap_or(u64::MAX);
    let needs = history.needs();
    for index in history.members(0) {
        if history.plan(index).background || history.went_alone(index) {
            continue;
        }
        let mut from = history
            .find(&What::Opening)
            .max(history.find(&What::Added(index)));
        for (_, needed) in needs.iter().filter(|(user, _)| *user == index) {
            let plan = history.plan(*needed);
            let is_simple = plan.restarts.is_none() && plan.nested.is_none();
            let ready = history
                .first(|what| [What::SaysReady(*needed), What::PolledOnce(*needed)].contains(what));
            let ready = ready.filter(|_| is_simple);
            from = from.zip(ready).map(|(from, ready)| from.max(ready));
        }
        let Some(from) = from.map(|from| history.at(from)) else {
            continue;
        };
        let called = history.called(index).map(|called| history.at(called));
        let by = from + SOON;
        if called.is_none_or(|called| called > by) && stop > by {
            return Err(format!(
                "s{index} may start at {from} ms, and is called at {called:?}, the stop is at {stop}"
            ));
        }
    }
    Ok(())
}

/// A service that needs one which has ended without having been ready is dropped.
pub fn dropped_in_vain(history: &History) -> Result<(), String> {
    let spawn_panics = history.has(|what| matches!(what, What::SpawnPanics(_)));
    if !history.is_timed() || spawn_panics {
        return Ok(());
    }
    let members = history.members(0);
    for (user, needed) in history.needs() {
        let plan = history.plan(needed);
        let is_simple = plan.restarts.is_none() && plan.nested.is_none();
        if !is_simple || !members.contains(&user) || history.ready(needed).is_some() {
            continue;
        }
        let added = history.find(&What::Added(user));
        let from = history
            .ended(needed)
            .max(added)
            .max(history.find(&What::Opening));
        let (Some(_), Some(from)) = (history.ended(needed), from) else {
            continue;
        };
        let (from, ended) = (history.at(from), history.ended(user));
        let ended = ended.map(|ended| history.at(ended));
        if ended.is_none_or(|ended| ended > from + SOON) {
            return Err(format!(
                "s{needed} never was ready and is gone at {from} ms, s{user} at {ended:?}"
            ));
        }
    }
    Ok(())
}

/// What is seen to have ended is gone, with its children.
pub fn ended_means_gone(history: &History) -> Result<(), String> {
    let may_block = history.scenario.place == Place::Threads && history.scenario.has_blocker();
    for (_, (watch, of, _)) in watches(history) {
        let Some(seen) = history.find(&What::EndSeen(watch)) else {
            continue;
        };
        let is_gone = history.ended(of).is_some_and(|ended| ended < seen);
        if !is_gone && !may_block {
            return Err(format!("s{of} was seen to have ended, and is there"));
        }
    }
    Ok(())
}

/// The number of the event, who watches, whom, and which service does.
fn watches(history: &History) -> impl Iterator<Item = (usize, (usize, usize, Option<usize>))> + '_ {
    let events = history.events.iter().enumerate();
    events.filter_map(|(number, event)| match event.what {
        What::EndAwaited { watch, of, by } => Some((number, (watch, of, by))),
        _ => None,
    })
}

/// Who awaits the end of a service sees it.
pub fn end_is_seen(history: &History) -> Result<(), String> {
    if !matches!(history.ending, Ending::Returned(_) | Ending::Dropped) {
        return Ok(());
    }
    for (number, (watch, of, by)) in watches(history) {
        let seen = history.find(&What::EndSeen(watch));
        if by.is_none() && seen.is_none() {
            return Err(format!("nobody outside sees the end of s{of}"));
        }
        let (true, Some(ended)) = (history.is_timed(), history.ended(of)) else {
            continue;
        };
        let from = history.at(ended.max(number));
        let goes_on = history.first(|what| match what {
            What::EndSeen(other) | What::EndGivenUp(other) => *other == watch,
            _ => false,
        });
        let dropped = by.and_then(|by| {
            history
                .all(|what| *what == What::RunGone(by))
                .find(|gone| *gone > number)
        });
        let at = goes_on.or(dropped).map(|at| history.at(at));
        if at.is_none_or(|at| at > from + SOON) {
            return Err(format!("s{of} ends at {from} ms, which is seen at {at:?}"));
        }
    }
    Ok(())
}
