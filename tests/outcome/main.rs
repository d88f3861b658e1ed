//! `src/outcome/`: what a group says about how it ended, and about how it is doing.

#[path = "../runtimes/mod.rs"]
mod runtimes;
#[path = "../support/mod.rs"]
mod support;

mod error;
#[cfg(feature = "anyhow")]
mod find;
mod forced;
mod outcome;
mod status;

use futures_lite::future;
use neap::{Error, Group, Outcome};
use runtimes::limited;

/// Runs a group in place, with a time limit.
fn run(group: Group<'static>) -> Result<Outcome, Error> {
    limited(move || future::block_on(group.run()))
}
