//! How the services of a group ended.

use neap::{Exit, Outcome};

/// Returns how each service ended, in words, in the order in which they were added.
pub fn exits(outcome: &Outcome) -> Vec<String> {
    outcome
        .reports()
        .map(|report| report.exit().to_string())
        .collect()
}

/// Returns how the service of this name ended.
#[track_caller]
pub fn exit_of<'o>(outcome: &'o Outcome, name: &str) -> &'o Exit {
    let found = outcome.reports().find(|report| report.name() == name);
    found.unwrap().exit()
}

/// Returns the names of the services that did not end within their deadline.
pub fn stragglers(outcome: &Outcome) -> Vec<&str> {
    outcome.stragglers().map(|report| report.name()).collect()
}
