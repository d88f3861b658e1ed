//! What several test files share: services, notes of what happened, ends of services, processes, examples.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test binary has this module, and none uses all of it"
)]

mod ends;
mod example;
mod notes;
mod process;
mod services;
mod waker;

pub use ends::{exit_of, exits, stragglers};
pub use example::example;
pub use notes::Notes;
pub use process::{LIMIT, Process, has, scenario, scenario_name};
pub use services::{CHAIN, chain, never_started, noting, stop_once_started};
pub use waker::{CountingWaker, poll};
