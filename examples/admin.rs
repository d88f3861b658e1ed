//! A server, and at an address of its own how the program is: as JSON, for those who run it.
//!
//! ```text
//! touch migrating; cargo run --features http --example admin
//! curl localhost:9090/status; curl -i localhost:9090/ready     # a migration runs: 503, starting
//! rm migrating; curl -i localhost:9090/ready                     # 200, ready
//! curl localhost:8080/slow/5000 & sleep 1; pkill -TERM admin   # the request is answered
//! curl localhost:9090/status                                   # what is waited for
//! ```
//!
//! `HOST` and `PORT` are the address of the server, `ADMIN` is the other one. Requests are logged, see `RUST_LOG`.

#[path = "support/help.rs"]
mod help;

use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use axum::routing::{get, post};
use axum::{Json, Router, extract};
use neap::http::{self, AccessLog, Server};
use neap::net::Address;
use neap::{Group, Handle, Scope, signal};
use serde::Serialize;
use smol::Timer;

/// What `/status` answers.
#[derive(Serialize)]
struct Program {
    /// Why it stops; null as long as it does not.
    cause: Option<String>,
    services: Vec<Service>,
}

#[derive(Serialize)]
struct Service {
    name: String,
    state: String,
    /// For how long, in milliseconds.
    lasting: u128,
    children: usize,
    /// Where it was added.
    location: String,
}

impl Program {
    fn of(handle: &Handle<'_>) -> Program {
        let status = handle.status();
        let services = status.services().iter().map(|service| Service {
            name: service.name().to_owned(),
            state: service.state().to_string(),
            lasting: service.lasting().as_millis(),
            children: service.children(),
            location: service.location().to_string(),
        });
        Program {
            cause: handle.cause().map(|cause| cause.to_string()),
            services: services.collect(),
        }
    }
}

fn main() -> ExitCode {
    help::on_request(include_str!("admin.rs"));
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    match run() {
        Ok(outcome) => outcome.into(),
        Err(error) => error.into(),
    }
}

fn run() -> Result<neap::Outcome, neap::Error> {
    let mut group = Group::new().stop_on(signal::termination()?);
    let handle = group.handle();

    // The server needs this one, so it is stopped last: the end of the others can be watched.
    let admin = Router::new()
        .route("/status", get(async move || Json(Program::of(&handle))))
        .route_service("/ready", http::ready())
        .route_service("/live", http::live());
    let address = env::var("ADMIN").unwrap_or_else(|_| "127.0.0.1:9090".into());
    let admin = group.add("admin", http::serve(http::service(admin), address));
    let admin = admin.id();

    group.add("migration", migrate);
    let app = Router::new()
        .route("/hello", get(async || "Hello World!"))
        .route("/echo", post(async |body: String| body))
        .route("/slow/{ms}", get(slow));
    let server = Server::new(http::service(app), Address::from_env("127.0.0.1:8080"))
        .access_log(AccessLog::new());
    group.add("http", server.into_service()).needs(admin);
    smol::block_on(group.run())
}

/// A migration, which takes as long as the file `migrating` is there. Readiness waits for it, as it says that it
/// is starting.
async fn migrate(scope: Scope<'_>) {
    scope.starting();
    while Path::new("migrating").exists() {
        let pause = Timer::after(Duration::from_millis(100));
        if scope.run_until_stopped(pause).await.is_none() {
            break;
        }
    }
}

async fn slow(extract::Path(ms): extract::Path<u64>) -> &'static str {
    Timer::after(Duration::from_millis(ms)).await;
    "slow done"
}
