//! Metrics for Prometheus: what an HTTP server does, and which services run, in the text format, at an address of
//! their own.
//!
//! ```text
//! cargo run --features http --example prometheus
//! curl localhost:8080/hello; curl localhost:9090/metrics
//! ```
//!
//! Press Ctrl-C to stop. `--addr` and `--admin` are the two addresses.

#[path = "support/help.rs"]
mod help;

use std::fmt::Write;
use std::process::ExitCode;

use axum::{Router, routing::get};
use lexopt::ValueExt;
use neap::http::{self, Counters, Counts, Server};
use neap::{Group, Handle, signal};

/// What Prometheus knows the format by.
const TEXT: [(&str, &str); 1] = [("content-type", "text/plain; version=0.0.4")];

fn main() -> ExitCode {
    help::on_request(include_str!("prometheus.rs"));
    let (addr, admin) = match addresses() {
        Ok(addresses) => addresses,
        Err(error) => {
            eprintln!("prometheus: {error}");
            return ExitCode::from(2);
        }
    };
    match smol::block_on(run(addr, admin)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("prometheus: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(addr: String, admin: String) -> Result<(), Box<dyn std::error::Error>> {
    let counters = Counters::new();
    let app = Router::new().route("/hello", get(async || "Hello World!"));
    let server = Server::new(http::service(app), addr).counters(&counters);

    let mut group = Group::new().stop_on(signal::termination()?).narrate();
    let handle = group.handle();
    let metrics = async move || (TEXT, render(&counters.read(), &handle));
    let admin_app = Router::new()
        .route("/metrics", get(metrics))
        .route_service("/ready", http::ready())
        .route_service("/live", http::live());

    // Stopped last, so that the end of the other can be watched.
    let admin = group
        .add("admin", http::serve(http::service(admin_app), admin))
        .id();
    group.add("http", server.into_service()).needs(admin);
    group.run().await?;
    Ok(())
}

/// Renders the numbers in the text format:
/// <https://prometheus.io/docs/instrumenting/exposition_formats/>.
fn render(counts: &Counts, handle: &Handle<'_>) -> String {
    let mut text = String::new();
    let mut metric = |name: &str, kind: &str, values: &[(String, u64)]| {
        let _ = writeln!(text, "# TYPE {name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let plain = |value: u64| [(String::new(), value)];
    let connections = counts.connections;
    let states = [
        ("fresh", connections.fresh),
        ("head", connections.head),
        ("active", connections.active),
        ("responding", connections.responding),
        ("idle", connections.idle),
        ("upgraded", connections.upgraded),
        ("linger", connections.linger),
    ];
    let states = states.map(|(state, n)| (format!("{{state=\"{state}\"}}"), n as u64));
    metric("http_connections", "gauge", &states);
    metric("http_connections_total", "counter", &plain(counts.accepted));
    let answers = counts.answers.iter();
    let answers: Vec<_> = answers
        .map(|(status, n)| (format!("{{status=\"{status}\"}}"), *n))
        .collect();
    metric("http_responses_total", "counter", &answers);
    metric("http_responses_cut_total", "counter", &plain(counts.cut));
    metric(
        "http_received_bytes_total",
        "counter",
        &plain(counts.received),
    );
    metric("http_sent_bytes_total", "counter", &plain(counts.sent));
    let status = handle.status();
    let services = status.services().iter();
    let services: Vec<_> = services
        .map(|service| {
            let (name, state) = (service.name(), service.state());
            (format!("{{service=\"{name}\",state=\"{state}\"}}"), 1)
        })
        .collect();
    metric("service_state", "gauge", &services);
    text
}

/// Reads the two addresses from the command line.
fn addresses() -> Result<(String, String), lexopt::Error> {
    let (mut addr, mut admin) = ("127.0.0.1:8080".to_owned(), "127.0.0.1:9090".to_owned());
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("addr") => addr = arguments.value()?.string()?,
            lexopt::Arg::Long("admin") => admin = arguments.value()?.string()?,
            other => return Err(other.unexpected()),
        }
    }
    Ok((addr, admin))
}
