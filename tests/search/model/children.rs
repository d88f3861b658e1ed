//! Children that are awaited and aborted, as the documentation of their handle has it. What the
//! handle returns is looked at while the group runs.

use crate::record::{History, What};
use crate::scenario::Place;

/// How many milliseconds by the hand clock a turn may take to come.
const SOON: u64 = 3;

/// One that is aborted is dropped at its next turn, and does not return any more.
pub fn aborted(history: &History) -> Result<(), String> {
    if history.scenario.place == Place::Threads {
        return Ok(());
    }
    for (number, event) in history.events.iter().enumerate() {
        let What::ChildAborting(child) = event.what else {
            continue;
        };
        let returns = history.find(&What::ChildReturns(child));
        if returns.is_some_and(|returns| returns > number) {
            return Err(format!("child {child} was aborted, and returned"));
        }
        let gone = history.first(|what| matches!(what, What::ChildGone(_, of) if *of == child));
        let is_gone = gone.is_some_and(|gone| history.at(gone) <= event.at + SOON);
        if history.is_timed() && !is_gone {
            return Err(format!("child {child} was aborted, and is there"));
        }
    }
    Ok(())
}

/// Who awaits a child goes on once it has ended.
pub fn joined(history: &History) -> Result<(), String> {
    if !history.is_timed() {
        return Ok(());
    }
    for (number, event) in history.events.iter().enumerate() {
        let What::ChildJoining(index, child) = event.what else {
            continue;
        };
        let Some(gone) = history.find(&What::ChildGone(index, child)) else {
            continue;
        };
        let by = history.at(gone.max(number)) + SOON;
        let goes_on = history.all(|what| match what {
            What::ChildJoined(of, _) => *of == child,
            What::RunGone(of) => *of == index,
            _ => false,
        });
        if !goes_on
            .into_iter()
            .any(|at| at > number && history.at(at) <= by)
        {
            return Err(format!("s{index} awaits child {child}, which has ended"));
        }
    }
    Ok(())
}

/// A child has no value only if it failed, or somebody had it dropped.
pub fn none_has_a_reason(history: &History) -> Result<(), String> {
    let first_stop = history.first_stop().unwrap_or(usize::MAX);
    let late = history.first_start_timeout().is_some();
    for (number, event) in history.events.iter().enumerate() {
        let What::ChildJoined(child, false) = event.what else {
            continue;
        };
        let is_aborted = history.find(&What::ChildAborting(child)).is_some();
        if !is_aborted && !late && number < first_stop {
            return Err(format!("child {child} has no value, without a reason"));
        }
    }
    Ok(())
}
