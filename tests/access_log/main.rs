//! The access log: which records there are, and that it neither blocks nor is lost at a stop.

#![cfg(feature = "http")]

#[path = "../http_support/mod.rs"]
mod http_support;
#[path = "../runtimes/mod.rs"]
mod runtimes;

mod keeper;
mod queue;
mod records;
