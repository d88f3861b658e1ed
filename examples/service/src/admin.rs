//! The server for those who run the program, at an address of its own.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use neap::Handle;
use neap::http::{self, App, Server};
use neap::net::Listeners;

use crate::metrics::Metrics;

/// What Prometheus knows the format by.
const OPENMETRICS: [(&str, &str); 1] = [(
    "content-type",
    "application/openmetrics-text; version=1.0.0; charset=utf-8",
)];

/// Makes the server: `/metrics`, `/status`, `/ready` and `/live`.
pub fn server(listeners: Listeners, metrics: Metrics, handle: Handle<'static>) -> Server<impl App> {
    let metrics = async move || match metrics.render() {
        Ok(text) => Ok((OPENMETRICS, text)),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    };
    let status = async move || handle.status().to_string();
    let app = Router::new()
        .route("/metrics", get(metrics))
        .route("/status", get(status))
        .route_service("/ready", http::ready())
        .route_service("/live", http::live());
    Server::new(http::service(app), listeners)
}
