//! Guarantees 1 to 3: failures.

use neap::Cause;

use crate::record::{Ending, History, Kind, What};
use crate::scenario::REASON;
use crate::service::number;

/// The failure that stopped the group is the first one of the outcome, and was there before
/// anyone was told.
pub fn g01_first_failure(history: &History) -> Result<(), String> {
    for (number, event) in history.events.iter().enumerate() {
        if let What::Told(index, Some(Cause::Failed(name) | Cause::Panicked(name))) = &event.what {
            let culprit = self::number(name);
            // One that is late with its start, or a group, need not have said so itself.
            let culprit = culprit.filter(|&culprit| {
                let plan = history.plan(culprit);
                plan.start_timeout.is_none() && plan.nested.is_none()
            });
            let said_so = culprit.and_then(|culprit| history.failed(culprit));
            if said_so.is_some_and(|failed| failed > number) {
                return Err(format!(
                    "s{index} was told of the failure of {name} before it"
                ));
            }
        }
    }
    let Some(told) = history.told_outcome() else {
        return Ok(());
    };
    if told.is_ok && !told.failures.is_empty() {
        return Err("a service failed, and `run` returned well".into());
    }
    if let Some(Cause::Failed(name) | Cause::Panicked(name)) = &told.cause {
        if told.failures.first().copied() != self::number(name) {
            return Err(format!(
                "{name} stopped the group, first is {:?}",
                told.failures
            ));
        }
    }
    Ok(())
}

/// `run` returns well if no service failed whose failures count, and all ended in time.
pub fn g01_nothing_failed(history: &History) -> Result<(), String> {
    let Some(told) = history.told_outcome() else {
        return Ok(());
    };
    let any_late = told.reports.iter().any(|(_, line)| line.is_straggler);
    if told.is_ok || !told.failures.is_empty() || any_late {
        return Ok(());
    }
    Err(format!("nothing failed, and `run` says: {}", told.text))
}

/// Every failure is kept, and there is none without a reason.
pub fn g01_later_failures(history: &History) -> Result<(), String> {
    let Some(told) = history.told_outcome() else {
        return Ok(());
    };
    for index in history.members(0) {
        let plan = history.plan(index);
        let failed = history.find(&What::ReturnsError(index)).is_some()
            || history.find(&What::ChildFails(index)).is_some();
        let list = match plan.ignores {
            true => &told.ignored,
            false => &told.failures,
        };
        let is_left_out = plan.ignores && history.line(index).is_none();
        let is_kept = list.contains(&index) || history.is_abandoned(index) || is_left_out;
        if failed && plan.restarts.is_none() && !is_kept {
            return Err(format!("the failure of s{index} is lost"));
        }
        let has_reason = history.failed(index).is_some()
            || plan.start_timeout.is_some()
            || plan.nested.is_some()
            || history.find(&What::SpawnPanics(0)).is_some();
        if plan.ignores && told.failures.contains(&index) {
            return Err(format!(
                "the failures of s{index} are ignored, and one is not"
            ));
        }
        if !plan.ignores && told.ignored.contains(&index) {
            return Err(format!("a failure of s{index} is ignored"));
        }
        if list.contains(&index) && !has_reason {
            return Err(format!(
                "s{index} did not fail, and is named: {}",
                told.text
            ));
        }
    }
    Ok(())
}

/// There is a reason for every stop, and a service that ended well is none.
pub fn g02_well_ended_stops_nobody(history: &History) -> Result<(), String> {
    let Some(cause) = history.told_outcome().and_then(|told| told.cause.clone()) else {
        return Ok(());
    };
    let has_reason = match &cause {
        Cause::Requested => history.has(|what| {
            let asked = [What::Stopping(0), What::Cancelling(0), What::Item];
            asked.contains(what) || matches!(what, What::Stopped(0, true))
        }),
        Cause::Because(words) => words == REASON && history.find(&What::Stopping(0)).is_some(),
        Cause::Finished(name) => number(name).is_some_and(|index| {
            let plan = history.plan(index);
            let well = history.find(&What::ReturnsWell(index)).is_some();
            // One whose failures stop the group has stopped it before.
            let may_fail = !plan.ignores || plan.restarts.is_some();
            plan.stops_group && well && (may_fail || history.failed(index).is_none())
        }),
        Cause::Ended => history.members(0).into_iter().all(|index| {
            let gone = history.ended(index).is_some() || history.is_abandoned(index);
            history.plan(index).background || gone
        }),
        Cause::Failed(name) | Cause::Panicked(name) => {
            number(name).is_none_or(|index| !history.plan(index).ignores)
        }
        _ => false,
    };
    if has_reason {
        Ok(())
    } else {
        Err(format!("stopped by {cause}, without a reason"))
    }
}

/// No panic of a service, nor of anything it owns, goes through `run`.
pub fn g03_no_panic_escapes(history: &History) -> Result<(), String> {
    if let Ending::Panicked(message) = &history.ending {
        return Err(format!("`run` panicked: {message}"));
    }
    for (index, _) in history.scenario.present() {
        if history.nested_panicked(index) {
            return Err(format!("the `run` of the group that s{index} is panicked"));
        }
    }
    Ok(())
}

/// A panic is a failure of its service.
pub fn g03_panic_is_failure(history: &History) -> Result<(), String> {
    for index in history.members(0) {
        let panicked = history.find(&What::Panics(index));
        let returned = history.find(&What::Returned);
        // What was abandoned, or what panics in the drop of the future of `run`, is not told of.
        let is_told = panicked.is_some_and(|at| returned.is_some_and(|end| at < end));
        let line = history.line(index).map(|line| line.exit);
        let is_failure = matches!(
            line,
            Some(Kind::Failed | Kind::Panicked | Kind::Abandoned) | None
        );
        if is_told && history.plan(index).restarts.is_none() && !is_failure {
            return Err(format!("s{index} panicked, and is told to be {line:?}"));
        }
    }
    Ok(())
}
