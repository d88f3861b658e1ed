//! The server for clients.

use std::time::Duration;

use neap::http::{AccessLog, App, Server};
use neap::net::Listeners;

use crate::letters::Letters;
use crate::metrics::Metrics;

// Two doors to the same house. Keep the one that you take.
#[cfg_attr(feature = "tide", path = "tide.rs")]
#[cfg_attr(not(feature = "tide"), path = "axum.rs")]
mod routes;

/// Makes the server, with a limit for all that a client can ask too much of.
pub fn server(
    letters: &Letters,
    metrics: &Metrics,
    listeners: Listeners,
) -> Server<impl App + use<>> {
    Server::new(routes::app(letters.clone()), listeners)
        .counters(&metrics.http)
        .access_log(AccessLog::new().only(|access| access.path != "/ready"))
        .max_connections(10_000)
        .max_in_flight(256)
        .max_body(64 * 1024)
        .handler_timeout(Duration::from_secs(10))
}
