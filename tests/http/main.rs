//! The tests of `neap::http`, one module for each part of `src/http`.

#![cfg(feature = "tide")]

#[path = "../http_support/mod.rs"]
mod http_support;
#[path = "../runtimes/mod.rs"]
mod runtimes;

/// The apps of the tests that are run once more, with axum's, in `tests/http_axum`.
mod door {
    pub(crate) use crate::http_support::tide_app::{app, reading};

    pub(crate) const TAKES_ANY_METHOD: bool = false;
}

mod answers;
mod codec;
mod drain;
mod empty_lines;
mod fairness;
mod leaving;
mod lingering;
mod load;
mod log;
mod panics;
mod pipelining;
mod readers;
mod readiness;
mod security;
mod server;
mod tide;
mod upgrades;
mod vectors;
