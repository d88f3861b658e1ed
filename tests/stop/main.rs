//! `src/stop/`: the stop as a broadcast, and what ends with it.

#[path = "../runtimes/mod.rs"]
mod runtimes;
#[path = "../support/mod.rs"]
mod support;

mod source;
mod token;
mod until;
