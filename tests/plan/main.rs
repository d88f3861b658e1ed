//! `src/plan/`: in which order services start and stop, and how many run at once.

#[path = "../runtimes/mod.rs"]
mod runtimes;
#[path = "../support/mod.rs"]
mod support;

mod limit;
mod needs;
mod order;
mod random;
mod readiness;
