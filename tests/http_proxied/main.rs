//! Those tests of `tests/http` that are about any app, with a header of the PROXY protocol in front of each
//! connection, with an axum `Router`: the drain above all.

#![cfg(all(feature = "http", feature = "proxy-protocol"))]

#[path = "../http_support/mod.rs"]
mod http_support;
#[path = "../runtimes/mod.rs"]
mod runtimes;

use http_support::axum_door as door;

#[path = "../http/codec.rs"]
mod codec;
#[path = "../http/drain.rs"]
mod drain;
#[path = "../http/limits.rs"]
mod limits;
#[path = "../http/load.rs"]
mod load;
