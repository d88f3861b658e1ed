//! The tests of `neap::http`, one module for each part of `src/http`.

#![cfg(feature = "tide")]

#[path = "../http_support/mod.rs"]
mod http_support;
#[path = "../runtimes/mod.rs"]
mod runtimes;

/// The apps of the tests that are run once more, with axum's, in `tests/http_axum`
/// and `tests/http_moving`.
mod door {
    pub(crate) use crate::http_support::tide_app::{app, reading};

    /// Returns what serves a tide app.
    pub(crate) fn of_tide(app: tide::Server<()>) -> tide::Server<()> {
        app
    }

    /// The status of the answer to a method that is none of HTTP's, and whether that closes.
    pub(crate) const OTHER_METHOD: (u16, bool) = (501, true);
}

mod answers;
mod codec;
mod counters;
mod drain;
mod empty_lines;
mod fairness;
mod leaving;
mod limits;
mod lingering;
mod load;
mod log;
mod panics;
mod pipelining;
mod quiet;
mod readers;
mod readiness;
mod security;
mod server;
mod spread;
mod starting;
mod tide;
mod upgrades;
mod vectors;
