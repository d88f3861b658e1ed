//! A server under systemd: it tells systemd how it is, and serves from the sockets that systemd has bound.
//! `examples/systemd/` has the units, with a comment on each line that matters.
//!
//! ```text
//! cargo build --features http,systemd --example systemd
//! systemd-socket-activate --listen=8080 --fdname=http target/debug/examples/systemd
//! curl localhost:8080/hello                       # starts it
//! ```
//!
//! Without systemd it binds `HOST` and `PORT`, or 127.0.0.1:8080. Press Ctrl-C to stop it; SIGHUP reads `GREETING_FILE` again.
//! The example `handover` restarts it without a gap and without systemd.

#[path = "support/help.rs"]
mod help;

use std::env;
use std::fs;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use futures_lite::StreamExt;
use neap::net::Address;
use neap::{Group, http, signal};
use smol::Timer;

fn main() -> ExitCode {
    help::on_request(include_str!("systemd.rs"));
    match run() {
        Ok(outcome) => outcome.into(),
        Err(error) => error.into(),
    }
}

fn run() -> Result<neap::Outcome, neap::Error> {
    // First of all: it takes what systemd has passed out of the environment.
    let mut group = Group::new()
        .systemd()
        .narrate()
        .drain_timeout(Duration::from_secs(60))
        .stop_on(signal::termination()?);

    let greeting = Arc::new(Mutex::new(read_greeting()));
    let (shown, mut reload) = (Arc::clone(&greeting), signal::reload()?);
    let reading = async move {
        // systemd is told that the reload is done when the next signal is asked for.
        while reload.next().await.is_some() {
            *greeting.lock().unwrap() = read_greeting();
        }
    };
    group.race("configuration", reading).background();

    let app = Router::new()
        .route("/hello", get(async move || shown.lock().unwrap().clone()))
        .route("/slow/{ms}", get(slow))
        .route_service("/ready", http::ready());
    let address = Address::from("systemd:http").or(Address::from_env("127.0.0.1:8080"));
    group.add("http", http::serve(http::service(app), address));
    smol::block_on(group.run())
}

fn read_greeting() -> String {
    let path = env::var_os("GREETING_FILE");
    let text = path.and_then(|path| fs::read_to_string(path).ok());
    text.unwrap_or_else(|| "Hello World!".into())
}

async fn slow(Path(ms): Path<u64>) -> &'static str {
    Timer::after(Duration::from_millis(ms)).await;
    "slow done"
}
