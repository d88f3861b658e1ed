//! TLS on `http` and `net`: its handshake, its end, its certificates, and the same drain over it.
//!
//! The certificates are made when the tests run, by `openssl`, which some tests have as a client too, as they
//! have `curl`.

#![cfg(all(feature = "tls", feature = "http"))]

#[path = "../every_stop/axum_app.rs"]
mod axum_app;
#[path = "../http_support/mod.rs"]
mod http_support;
#[path = "../runtimes/mod.rs"]
mod runtimes;

use http_support::pems;

mod certificates;
mod client;
mod clients;
mod every_stop;
mod handshake;
mod records;
mod streams;
