//! Those tests of `tests/http` that are about any app, over TLS, with an axum `Router`: the drain above all.
//!
//! A client begins its handshake with its first bytes. So one that is connected at the stop, and sends then, goes
//! through its handshake in the drain.

#![cfg(all(feature = "http", feature = "tls"))]

#[path = "../http_support/mod.rs"]
mod http_support;
#[path = "../runtimes/mod.rs"]
mod runtimes;

use http_support::axum_door as door;

#[path = "../http/codec.rs"]
mod codec;
#[path = "../http/drain.rs"]
mod drain;
#[path = "../http/load.rs"]
mod load;
