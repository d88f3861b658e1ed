//! A server that is asked for more than it can do: who comes too late is told so at once, and the others wait
//! no longer for that.
//!
//! ```text
//! cargo run --features http --example overload
//! seq 12 | xargs -P 12 -I{} curl -s -o /dev/null -w '%{http_code} after %{time_total} s\n' localhost:8080/report
//! curl -i localhost:8081/ready     # 200: an overload is no reason to be restarted
//! ```
//!
//! Of twelve clients that come together four are served, after half a second. The others have a 503 with
//! `Retry-After` in some milliseconds, and the log warns of the first of them. Press Ctrl-C, and it says how many
//! the others were.

#[path = "support/help.rs"]
mod help;

use std::time::Duration;

use axum::{Router, routing::get};
use neap::http::{self, Server};
use neap::{Group, signal};
use smol::Timer;

async fn report() -> &'static str {
    Timer::after(Duration::from_millis(500)).await;
    "a report\n"
}

fn main() -> Result<(), neap::Error> {
    help::on_request(include_str!("overload.rs"));
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let mut addrs = std::env::args().skip(1);
    let mut addr = |or: &str| addrs.next().unwrap_or_else(|| or.into());

    let app = Router::new().route("/report", get(report));
    let server = Server::new(http::service(app), addr("127.0.0.1:8080"))
        .max_in_flight(4)
        .handler_timeout(Duration::from_secs(2))
        .max_connections(1000)
        .max_body(1024 * 1024);
    let health = Router::new()
        .route_service("/ready", http::ready())
        .route_service("/live", http::live());

    let mut group = Group::new().stop_on(signal::termination()?);
    group.add("http", server.into_service());
    group.add(
        "health",
        http::serve(http::service(health), addr("127.0.0.1:8081")),
    );
    println!("{}", smol::block_on(group.run())?);
    Ok(())
}
