//! Any service of tower by `neap::http`, an axum `Router` above all: what its users do, and what can go wrong.

#![cfg(feature = "http")]

#[path = "../http_support/mod.rs"]
mod http_support;
#[path = "../runtimes/mod.rs"]
mod runtimes;
#[cfg(feature = "signal")]
#[path = "../../examples/websocket.rs"]
mod websocket_example;

mod broken;
mod framing;
mod heads;
mod layers;
mod mined;
mod pipelining;
mod requests;
mod routers;
mod scripted;
mod services;
mod streams;
mod turns;
mod upgrades;
#[cfg(feature = "signal")]
mod websocket;

use axum::Router;
use http_support::{Running, run_on};
use neap::http::{Server, service};
use runtimes::Runtime;

/// Serves a router on a port of its own, in place.
fn serve(router: Router) -> Running {
    serve_on(Runtime::InPlaceOnSmol, router)
}

/// Serves a router on a port of its own, on this runtime.
fn serve_on(runtime: Runtime, router: Router) -> Running {
    run_on(runtime, Server::new(service(router), "127.0.0.1:0"))
}
