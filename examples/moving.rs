//! From tide to axum, route by route: a `Router` that has a tide app for its fallback, under one drain.
//!
//! ```text
//! cargo run --features tide --example moving
//! curl localhost:8080/users/7     # axum
//! curl localhost:8080/orders/7    # tide
//! ```
//!
//! It has the flags of the example `drain`. Press Ctrl-C to stop, and again to cancel at once.

#[path = "support/flags.rs"]
mod flags;
#[path = "support/help.rs"]
mod help;

use std::process::ExitCode;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use neap::http::{self, RequestExt};

fn main() -> ExitCode {
    help::on_request(include_str!("moving.rs"));
    let app = Router::new()
        .route("/users/{id}", get(user))
        .route_service("/ready", http::ready())
        .fallback_service(http::tide_service(old()));
    flags::serve(http::service(app))
}

async fn user(Path(id): Path<u64>) -> String {
    format!("user {id}, by axum\n")
}

/// The routes that have not moved.
fn old() -> tide::Server<()> {
    let mut app = tide::new();
    app.at("/orders/:id").get(order);
    app.at("/until-stop").get(until_stop);
    app
}

async fn order(request: tide::Request<()>) -> tide::Result<String> {
    Ok(format!("order {}, by tide\n", request.param("id")?))
}

async fn until_stop(request: tide::Request<()>) -> tide::Result<String> {
    let cause = request.stop_token().stopped().await;
    Ok(format!("stopped by {cause}\n"))
}
