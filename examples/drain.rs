//! A `tide` app with a drain to try by hand, and every option of the server as a flag.
//!
//! ```text
//! cargo run --features tide --example drain -- --addr 127.0.0.1:8080 --lame-duck 2s
//! curl -i localhost:8080/slow/5000 & sleep 1; pkill -TERM drain    # the request is answered
//! ```
//!
//! Press Ctrl-C to stop, and again to cancel at once. `RUST_LOG=debug` logs more.
//!
//! | route | does |
//! |---|---|
//! | `/hello` | answers at once |
//! | `/slow/:ms` | answers `slow done` after this number of milliseconds |
//! | `POST /echo` | streams the body back |
//! | `/stream/:n/:ms` | sends n chunks, one each ms |
//! | `/bytes/:n` | sends n bytes |
//! | `/panic` | panics |
//! | `/until-stop` | answers when the server is stopped |
//! | `/events` | server-sent events, until the stop |
//! | `/ready`, `/live` | health |

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::process::ExitCode;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_lite::{AsyncRead, io::BufReader};
use lexopt::prelude::*;
use neap::http::{self, RequestExt};
use neap::{Group, signal};
use smol::Timer;
use tide::{Body, Request, Response};

type Server = http::Server<tide::Server<()>>;
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    match smol::block_on(run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failure> {
    let flags = Flags::parse()?;
    let mut group = match flags.runtime.as_str() {
        "in-place" => Group::new(),
        "smol" => Group::on(smol::spawn),
        "async-std" => Group::on(async_std::task::spawn),
        other => {
            return Err(format!("--runtime is in-place, smol or async-std, not {other}").into());
        }
    };
    group = group
        .drain_timeout(flags.group_drain_timeout)
        .stop_on(signal::termination()?);
    group.add("http", flags.server.into_service());
    println!("{}", group.run().await?);
    Ok(())
}

struct Flags {
    server: Server,
    runtime: String,
    group_drain_timeout: Duration,
}

impl Flags {
    fn parse() -> Result<Flags, Failure> {
        let (mut addresses, mut options) = (Vec::new(), Vec::new());
        let (mut runtime, mut group_drain_timeout) =
            ("in-place".to_owned(), Duration::from_secs(10));
        let mut parser = lexopt::Parser::from_env();
        while let Some(flag) = parser.next()? {
            let Long(name) = flag else {
                return Err(flag.unexpected().into());
            };
            let (name, value) = (name.to_owned(), parser.value()?.string()?);
            match name.as_str() {
                "addr" => addresses.push(value),
                "runtime" => runtime = value,
                "group-drain-timeout" => group_drain_timeout = duration(&value)?,
                _ => options.push((name, value)),
            }
        }
        if addresses.is_empty() {
            addresses.push("127.0.0.1:8080".into());
        }
        let mut server = Server::new(app(), addresses);
        for (name, value) in options {
            server =
                set(server, &name, &value).map_err(|error| format!("--{name} {value}: {error}"))?;
        }
        Ok(Flags {
            server,
            runtime,
            group_drain_timeout,
        })
    }
}

/// Sets the option of this name.
fn set(server: Server, name: &str, value: &str) -> Result<Server, Failure> {
    Ok(match name {
        "lame-duck" => server.lame_duck(duration(value)?),
        "drain-timeout" => server.drain_timeout(duration(value)?),
        "cancel-timeout" => server.cancel_timeout(duration(value)?),
        "handshake-grace" => server.handshake_grace(duration(value)?),
        "idle-grace" => server.idle_grace(duration(value)?),
        "new-conn-grace" => server.new_conn_grace(duration(value)?),
        "drain-head-timeout" => server.drain_head_timeout(duration(value)?),
        "head-timeout" => server.head_timeout(duration(value)?),
        "body-timeout" => server.body_timeout(duration(value)?),
        "keep-alive-timeout" => server.keep_alive_timeout(duration(value)?),
        "write-timeout" => server.write_timeout(duration(value)?),
        "linger" => server.linger(duration(value)?),
        "half-close" => server.half_close(value.parse()?),
        "max-head" => server.max_head(value.parse()?),
        "max-body" => server.max_body(value.parse()?),
        "max-connections" => server.max_connections(value.parse()?),
        "backlog" => server.backlog(value.parse()?),
        "listener-shared" => server.listener_shared(value.parse()?),
        "wait-upgraded" => server.wait_upgraded(value.parse()?),
        "panics-fail" => server.panics_fail(value.parse()?),
        _ => return Err("no such flag".into()),
    })
}

/// Parses `500ms`, `10s`, `2m 30s`.
fn duration(text: &str) -> Result<Duration, Failure> {
    Ok(humantime::parse_duration(text)?)
}

fn app() -> tide::Server<()> {
    let mut app = tide::new();
    app.at("/hello").get(|_| async { Ok("Hello World!") });
    app.at("/slow/:ms").get(slow);
    app.at("/echo").post(echo);
    app.at("/stream/:n/:ms").get(chunks);
    app.at("/bytes/:n").get(bytes);
    app.at("/panic").get(panics);
    app.at("/until-stop").get(until_stop);
    app.at("/events").get(tide::sse::endpoint(events));
    app.at("/ready").get(http::ready());
    app.at("/live").get(http::live());
    app
}

async fn slow(request: Request<()>) -> tide::Result<&'static str> {
    Timer::after(millis(&request)?).await;
    Ok("slow done")
}

async fn echo(mut request: Request<()>) -> tide::Result<Body> {
    let length = request.len();
    Ok(Body::from_reader(request.take_body().into_reader(), length))
}

async fn chunks(request: Request<()>) -> tide::Result<Body> {
    let (left, pause) = (request.param("n")?.parse()?, millis(&request)?);
    let timer = Timer::after(pause);
    Ok(Body::from_reader(
        BufReader::new(Chunks { left, pause, timer }),
        None,
    ))
}

/// A body that sends one chunk after each pause.
struct Chunks {
    left: u32,
    pause: Duration,
    timer: Timer,
}

impl AsyncRead for Chunks {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.left == 0 {
            return Poll::Ready(Ok(0));
        }
        ready!(Pin::new(&mut self.timer).poll(cx));
        let pause = self.pause;
        self.timer.set_after(pause);
        self.left -= 1;
        let text = format!("{} to go\n", self.left);
        out[..text.len()].copy_from_slice(text.as_bytes());
        Poll::Ready(Ok(text.len()))
    }
}

async fn bytes(request: Request<()>) -> tide::Result<Body> {
    Ok(Body::from_bytes(vec![b'x'; request.param("n")?.parse()?]))
}

#[allow(clippy::panic)]
async fn panics(_: Request<()>) -> tide::Result<Response> {
    panic!("as asked")
}

async fn until_stop(request: Request<()>) -> tide::Result<String> {
    let cause = request.stop_token().stopped().await;
    let left = request.remaining_time().unwrap_or_default();
    Ok(format!(
        "stopped by {cause}, {} ms left\n",
        left.as_millis()
    ))
}

async fn events(request: Request<()>, sender: tide::sse::Sender) -> tide::Result<()> {
    let token = request.stop_token();
    let mut count = 0_u32;
    while token
        .run_until_stopped(Timer::after(Duration::from_secs(1)))
        .await
        .is_some()
    {
        count += 1;
        sender.send("tick", count.to_string(), None).await?;
    }
    sender.send("bye", "", None).await?;
    Ok(())
}

fn millis(request: &Request<()>) -> tide::Result<Duration> {
    Ok(Duration::from_millis(request.param("ms")?.parse()?))
}
