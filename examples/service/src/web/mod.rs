//! The server for clients.

use std::time::Duration;

use neap::http::{AccessLog, App, Server};

use crate::config::Web;
use crate::letters::Letters;
use crate::metrics::Metrics;

// Two doors to the same house. Keep the one that you take.
#[cfg_attr(feature = "tide", path = "tide.rs")]
#[cfg_attr(not(feature = "tide"), path = "axum.rs")]
mod routes;

/// Makes the server, with a limit for all that a client can ask too much of.
pub fn server(letters: Letters, metrics: &Metrics, config: Web) -> Server<impl App + use<>> {
    let server = Server::new(routes::app(letters), config.listeners)
        .lame_duck(config.lame_duck)
        .drain_timeout(config.drain_timeout)
        .max_connections(10_000)
        .max_in_flight(256)
        .max_body(64 * 1024)
        .handler_timeout(Duration::from_secs(10))
        .access_log(AccessLog::new().only(|access| access.path != "/ready"))
        .counters(&metrics.http);
    match &config.certificates {
        Some(certificates) => server.tls(certificates),
        None => server,
    }
}
