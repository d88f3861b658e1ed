//! What several test files share: services, notes of what happened, ends of services, processes.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test binary has this module, and none uses all of it"
)]

mod ends;
mod notes;
mod process;
mod services;
mod waker;

pub use ends::{exit_of, exits, stragglers};
pub use notes::Notes;
pub use process::{LIMIT, Process, scenario, scenario_name};
pub use services::{CHAIN, chain, never_started, noting, stop_once_started};
pub use waker::{CountingWaker, poll};
