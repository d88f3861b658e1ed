//! Those tests of `tests/http` that are about any app, with an axum `Router`.

#![cfg(feature = "http")]

#[path = "../http_support/mod.rs"]
mod http_support;
#[path = "../runtimes/mod.rs"]
mod runtimes;

use http_support::axum_door as door;

#[path = "../http/codec.rs"]
mod codec;
#[path = "../http/counters.rs"]
mod counters;
#[path = "../http/drain.rs"]
mod drain;
#[path = "../http/limits.rs"]
mod limits;
#[path = "../http/load.rs"]
mod load;
#[path = "../http/quiet.rs"]
mod quiet;
#[path = "../http/readiness.rs"]
mod readiness;
#[path = "../http/spread.rs"]
mod spread;
#[path = "../http/starting.rs"]
mod starting;
