//! What must be true of every run.

use std::time::Duration;

use super::answer::Answer;
use super::client::Seen;
use super::exchange::{Exchange, Expected, Step};
use super::moments::Blow;
use super::run::Run;

/// How long a group may go on after the stop: the default of its drain timeout, and of the time after a
/// cancel.
const DRAIN: Duration = Duration::from_secs(10);
const CANCEL: Duration = Duration::from_millis(500);
const SLACK: Duration = Duration::from_millis(100);

/// Returns what is wrong with a run, compared with the one without a stop.
pub(super) fn judge(exchange: &Exchange, usual: &Run, run: &Run, blow: Blow) -> Result<(), String> {
    check_end(usual, run, blow)?;
    let Some(usual_seen) = &usual.seen else {
        return Err("the client is refused".into());
    };
    let Some(seen) = &run.seen else {
        return Ok(());
    };
    if blow == Blow::Stop {
        check_lost(exchange, run, seen)?;
        check_good_bye(exchange, seen)?;
    }
    check_expected(exchange, usual_seen)?;
    check_answers(exchange, usual_seen, seen, blow)?;
    check_close(run, seen)
}

/// Checks that the server ends in time, and leaves nothing behind.
fn check_end(usual: &Run, run: &Run, blow: Blow) -> Result<(), String> {
    let limit = match blow {
        Blow::Stop => DRAIN + CANCEL + SLACK,
        Blow::Cancel => CANCEL + SLACK,
    };
    if run.took > limit {
        return Err(format!("the server has ended after {:?}", run.took));
    }
    if let (Blow::Stop, Some(error)) = (blow, &run.error) {
        return Err(format!("the drain has failed: {error}"));
    }
    if run.left_open > 0 {
        return Err(format!(
            "{} ends of connections are left open",
            run.left_open
        ));
    }
    if !run.refuses {
        return Err("a client is not refused after the end".into());
    }
    let (calls, _) = run.moments.calls();
    let (usual_calls, _) = usual.moments.calls();
    if calls > usual_calls {
        return Err(format!(
            "a handler was called {calls} times, not {usual_calls}"
        ));
    }
    let (moments, most) = (run.moments.count(), 4 * usual.moments.count() + 200);
    if moments > most {
        return Err(format!(
            "it spins: {moments} moments instead of {}",
            usual.moments.count()
        ));
    }
    Ok(())
}

/// Checks that a client that speaks TLS got through its handshake, and was told of the end.
fn check_good_bye(exchange: &Exchange, seen: &Seen) -> Result<(), String> {
    if let Some(error) = &seen.unshaken {
        return Err(format!("the handshake is cut: {error}"));
    }
    let last = seen
        .answers
        .last()
        .filter(|last| last.is_whole && last.closes);
    let has_end = last.is_none_or(|last| seen.is_over || last.status == 101);
    if exchange.has_tls() && !seen.has_left && !has_end {
        return Err("the end of the connection was not told".into());
    }
    Ok(())
}

/// Checks that no request was lost.
fn check_lost(exchange: &Exchange, run: &Run, seen: &Seen) -> Result<(), String> {
    let answered = seen.answers.iter().filter(|answer| answer.is_whole).count();
    let last_closes = seen
        .answers
        .last()
        .is_some_and(|answer| answer.is_whole && answer.closes);
    let has_crossed = seen.crossed_after.is_some_and(|idle| idle >= run.grace);
    if seen.has_left || last_closes || has_crossed || answered >= seen.asked {
        return Ok(());
    }
    Err(match seen.answers.get(answered) {
        Some(_) if expected(exchange).nth(answered) == Some(Expected::Cut) => return Ok(()),
        Some(cut) => format!("the answer to request {} is cut: {cut:?}", answered + 1),
        None => format!("request {} is lost", answered + 1),
    })
}

/// Returns what the answers are to be without a stop.
fn expected(exchange: &Exchange) -> impl Iterator<Item = Expected> {
    exchange.steps.iter().filter_map(|step| match step {
        Step::Answer(expected) => Some(*expected),
        _ => None,
    })
}

/// Checks that the answers without a stop are what they are to be.
fn check_expected(exchange: &Exchange, usual: &Seen) -> Result<(), String> {
    for (at, expected) in expected(exchange).enumerate() {
        let found = usual.answers.get(at);
        let is_so = |is: fn(&Answer, u16) -> bool, status| found.is_some_and(|it| is(it, status));
        let is_expected = match expected {
            Expected::Any => true,
            Expected::Status(status) => is_so(|it, status| it.status == status, status),
            Expected::Closing(status) => {
                is_so(|it, status| it.status == status && it.closes, status)
            }
            Expected::Cut => found.is_some_and(|it| !it.is_whole),
        };
        if !is_expected {
            let nth = at + 1;
            return Err(format!(
                "answer {nth} is {found:?} without a stop, not {expected:?}"
            ));
        }
    }
    Ok(())
}

/// Checks that the answers are those that come without a stop.
fn check_answers(exchange: &Exchange, usual: &Seen, seen: &Seen, blow: Blow) -> Result<(), String> {
    for (at, answer) in seen.answers.iter().enumerate() {
        if !answer.is_whole {
            // Checked as a lost one where it is not allowed.
            continue;
        }
        if blow == Blow::Cancel && answer.status == 503 && answer.closes {
            continue;
        }
        let Some(usual) = usual.answers.get(at) else {
            if exchange.may_differ {
                continue;
            }
            return Err(format!("an answer too many: {answer:?}"));
        };
        let is_same = answer.status == usual.status && answer.body == usual.body;
        if !is_same && !exchange.may_differ {
            return Err(format!(
                "answer {} is another: {answer:?}, not {usual:?}",
                at + 1
            ));
        }
    }
    Ok(())
}

/// Checks that what is answered after the stop closes the connection, and says so, and that nothing comes
/// behind it.
fn check_close(run: &Run, seen: &Seen) -> Result<(), String> {
    if !seen.behind.is_empty() {
        let behind = seen.behind.escape_ascii();
        return Err(format!("behind the answer that closes comes {behind}"));
    }
    let (calls, after) = run.moments.calls();
    for (at, answer) in seen.answers.iter().enumerate() {
        let is_after = calls == seen.answers.len() && at + after >= calls;
        if is_after && answer.status != 101 && (!answer.closes || answer.keeps) {
            return Err(format!("answer {} does not close the connection", at + 1));
        }
    }
    Ok(())
}
