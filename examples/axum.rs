//! An axum `Router` on smol, without tokio: the routes of the example `drain`, one for JSON, and its flags.
//!
//! ```text
//! cargo run --features http --example axum -- --addr 127.0.0.1:8080 --lame-duck 2s
//! curl -i localhost:8080/slow/5000 & sleep 1; pkill -TERM axum    # the request is answered
//! ```
//!
//! Press Ctrl-C to stop, and again to cancel at once. `RUST_LOG=debug` logs more.
//!
//! Flags: `--addr ADDRESS`, as often as you like; `--runtime in-place`, `smol` or `async-std`;
//! `--group-drain-timeout 10s`; and each option of `http::Server` by its name, `--idle-grace 100ms` for one.
//! With the feature `proxy-protocol`, `--proxy-protocol 10.0.0.0/8,192.0.2.7` names the balancers in front.
//! `--access-log` logs each request. `--print-grace` prints how many seconds the process needs to stop, with the
//! other flags as they are.
//!
//! | route | does |
//! |---|---|
//! | `/hello` | answers at once |
//! | `/slow/{ms}` | answers `slow done` after this number of milliseconds |
//! | `POST /echo` | streams the body back |
//! | `POST /json` | reads JSON, and answers with JSON |
//! | `/stream/{n}/{ms}` | sends n chunks, one each ms |
//! | `/bytes/{n}` | sends n bytes |
//! | `/panic` | panics |
//! | `/peer` | answers with the address of the client |
//! | `/until-stop` | answers when the server is stopped |
//! | `/events` | server-sent events, until the stop |
//! | `/ready`, `/live` | health |

#[path = "support/flags.rs"]
mod flags;
#[path = "support/help.rs"]
mod help;

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use futures_lite::{StreamExt, stream};
use neap::http::{self, EventStream, RequestContext, ServerEvent};
use serde::{Deserialize, Serialize};
use smol::Timer;

fn main() -> ExitCode {
    help::on_request(include_str!("axum.rs"));
    flags::serve(http::service(app()))
}

fn app() -> Router {
    Router::new()
        .route("/hello", get(async || "Hello World!"))
        .route("/slow/{ms}", get(slow))
        .route("/echo", post(async |body: Body| body))
        .route("/json", post(greet))
        .route("/stream/{n}/{ms}", get(chunks))
        .route(
            "/bytes/{n}",
            get(async |Path(n): Path<usize>| vec![b'x'; n]),
        )
        .route("/panic", get(panics))
        .route("/peer", get(peer))
        .route("/until-stop", get(until_stop))
        .route("/events", get(events))
        .route_service("/ready", http::ready())
        .route_service("/live", http::live())
}

async fn slow(Path(ms): Path<u64>) -> &'static str {
    Timer::after(Duration::from_millis(ms)).await;
    "slow done"
}

#[derive(Deserialize)]
struct Person {
    name: String,
}

#[derive(Serialize)]
struct Greeting {
    greeting: String,
}

async fn greet(Json(person): Json<Person>) -> Json<Greeting> {
    let greeting = format!("hello {}", person.name);
    Json(Greeting { greeting })
}

async fn chunks(Path((n, ms)): Path<(u32, u64)>) -> Body {
    let chunks = stream::unfold(n, move |left| async move {
        let left = left.checked_sub(1)?;
        Timer::after(Duration::from_millis(ms)).await;
        Some((Ok::<_, Infallible>(format!("{left} to go\n")), left))
    });
    Body::from_stream(chunks)
}

#[allow(clippy::panic)]
async fn panics() {
    panic!("as asked")
}

async fn peer(Extension(context): Extension<RequestContext>) -> String {
    format!("{}\n", context.peer())
}

async fn until_stop(Extension(context): Extension<RequestContext>) -> String {
    let cause = context.stop_token().stopped().await;
    let left = context.remaining_time().unwrap_or_default();
    format!("stopped by {cause}, {} ms left\n", left.as_millis())
}

/// Sends an event each second, and a last one at the stop.
async fn events(Extension(context): Extension<RequestContext>) -> Response<EventStream> {
    let ticks = Timer::interval(Duration::from_secs(1)).enumerate();
    let ticks = ticks.map(|(count, _)| ServerEvent::new(count.to_string()).event("tick"));
    http::events(&context, ticks)
        .last(ServerEvent::new("").event("bye"))
        .response()
}
