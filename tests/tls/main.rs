//! TLS on `http` and `net`: its handshake, its end, its certificates, and the same drain over it.
//!
//! The certificates are files, in `pems`. Some tests have `openssl` or `curl` for a client.

#![cfg(all(feature = "tls", feature = "http"))]

#[path = "../every_stop/axum_app.rs"]
mod axum_app;
#[path = "../http_support/mod.rs"]
mod http_support;
#[path = "../runtimes/mod.rs"]
mod runtimes;
#[path = "../support/mod.rs"]
mod support;

use http_support::pems;

mod attacks;
mod certificates;
mod client;
mod client_certificates;
mod clients;
mod every_stop;
mod handshake;
mod limit;
mod records;
mod slow;
mod streams;
