//! The services that did not end in time, in one line.

use std::fmt;
use std::time::Duration;

use super::Outcome;
use super::report::ServiceReport;
use crate::stop::force::{Elapsed, Force, Seconds};

/// How many services the line names: more would be a wall. `Debug` of an error has them all.
const NAMES: usize = 5;

/// The services that did not end in time, and what ended them.
///
/// Those that the same force ended are named; there are seldom others, and these are counted.
pub(super) struct Stragglers<'o>(pub(super) &'o Outcome);

impl fmt::Display for Stragglers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.0.stragglers().next() else {
            return Ok(());
        };
        let force = first.forced_by();
        let alike = |one: &ServiceReport<'_>| one.forced_by() == force;
        let count = self.0.stragglers().filter(alike).count();
        f.write_str(if count == 1 { "service" } else { "services" })?;
        let named = self.0.stragglers().filter(alike).take(NAMES);
        for (index, report) in named.enumerate() {
            let before = if index == 0 { "" } else { "," };
            write!(f, "{before} `{}`", report.name())?;
        }
        if count > NAMES {
            write!(f, " and {} more", count - NAMES)?;
        }
        fmt_force(f, force, count, self.0.drained_until_forced(&first))?;
        fmt_abandoned(f, self.0)?;
        match self.0.stragglers().count() - count {
            0 => Ok(()),
            1 => f.write_str("; 1 other did not end in time"),
            others => write!(f, "; {others} others did not end in time"),
        }
    }
}

/// What ended this number of services, of which the first had drained for `drained` by then. That is
/// left out if it is no time to speak of, as where a request cancels that stops too.
fn fmt_force(
    f: &mut fmt::Formatter<'_>,
    force: Option<&Force>,
    count: usize,
    drained: Duration,
) -> fmt::Result {
    let (were, its) = match count {
        1 => ("was", "its"),
        _ => ("were", "their"),
    };
    match force {
        Some(Force::Timeout(timeout)) => {
            let timeout = Seconds(*timeout);
            write!(f, " did not end within {its} drain timeout of {timeout}")
        }
        Some(force) => {
            write!(f, " {were} cancelled by {force}")?;
            if drained < Duration::from_millis(1) {
                return Ok(());
            }
            write!(f, ", {} into {its} drain", Elapsed(drained))
        }
        None => write!(f, " {were} cancelled"),
    }
}

/// How many of the services were abandoned, and why.
fn fmt_abandoned(f: &mut fmt::Formatter<'_>, outcome: &Outcome) -> fmt::Result {
    let is_abandoned = |report: &ServiceReport<'_>| report.is_abandoned();
    match outcome.stragglers().filter(is_abandoned).count() {
        0 => Ok(()),
        1 => f.write_str("; 1 was abandoned, as it blocks its thread or had no turn"),
        count => write!(
            f,
            "; {count} were abandoned, as they block their thread or had no turn"
        ),
    }
}
