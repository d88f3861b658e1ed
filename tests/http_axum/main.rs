//! Those tests of `tests/http` that are about any app, with an axum `Router`.

#![cfg(feature = "http")]

#[path = "../http_support/mod.rs"]
mod http_support;
#[path = "../runtimes/mod.rs"]
mod runtimes;

mod door {
    pub(crate) use crate::http_support::axum_app::{app, reading};

    pub(crate) const TAKES_ANY_METHOD: bool = true;
}

#[path = "../http/codec.rs"]
mod codec;
#[path = "../http/drain.rs"]
mod drain;
#[path = "../http/load.rs"]
mod load;
#[path = "../http/readiness.rs"]
mod readiness;
