//! Whole programs, each written as a newcomer would who knows another library: what they mean, and not
//! a line more. The tests run them.
//!
//! The first of these, Go's program that this project was made from, is `examples/hello.rs`, which
//! `tests/hello.rs` runs. Services on `!Send` sockets of thread-per-core runtimes are in
//! `compare/peers`.

#![cfg(all(feature = "tide", feature = "signal", feature = "anyhow"))]

#[path = "../runtimes/mod.rs"]
mod runtimes;

mod clock;
mod errors;
mod layers;
mod local;
mod migrations;
mod tls;
mod tracing;
mod web;
