//! Server-sent events: an answer that would never end, and at the stop ends behind a whole event.
//!
//! ```text
//! cargo run --features http --example events
//! curl -N localhost:8080/ticks     # or `new EventSource("http://localhost:8080/ticks")` in a browser's console
//! ```
//!
//! Press Ctrl-C: each client has a last event, which tells it to come back after two seconds, and the end of
//! the answer. Start the program again: a browser goes on counting from where it was.

#[path = "support/help.rs"]
mod help;

use std::time::Duration;

use axum::http::{HeaderMap, Response};
use axum::{Extension, Router, routing::get};
use futures_lite::StreamExt;
use neap::http::{self, EventStream, RequestContext, ServerEvent};
use neap::{Group, signal};
use smol::Timer;

/// Counts, once a second. A client that was here before says which event it had last.
async fn ticks(
    Extension(context): Extension<RequestContext>,
    fields: HeaderMap,
) -> Response<EventStream> {
    let last = fields.get("last-event-id");
    let last = last.and_then(|id| id.to_str().ok()?.parse::<usize>().ok());
    let first = last.map_or(0, |last| last.saturating_add(1));
    let ticks = Timer::interval(Duration::from_secs(1)).zip(futures_lite::stream::iter(first..));
    let ticks = ticks.map(|(_, count)| ServerEvent::new(count.to_string()).id(count.to_string()));
    http::events(&context, ticks)
        .last(ServerEvent::default().retry(Duration::from_secs(2)))
        .response()
}

fn main() -> Result<(), neap::Error> {
    help::on_request(include_str!("events.rs"));
    let addr = std::env::args().nth(1);
    let addr = addr.unwrap_or("127.0.0.1:8080".into());
    let app = Router::new().route("/ticks", get(ticks));
    let mut group = Group::new().narrate().stop_on(signal::termination()?);
    group.add("http", http::serve(http::service(app), addr));
    println!("{}", smol::block_on(group.run())?);
    Ok(())
}
