//! A `tide` app with a drain to try by hand, and every option of the server as a flag.
//!
//! ```text
//! cargo run --features tide --example drain -- --addr 127.0.0.1:8080 --lame-duck 2s
//! curl -i localhost:8080/slow/5000 & sleep 1; pkill -TERM drain    # the request is answered
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
//! | `/slow/:ms` | answers `slow done` after this number of milliseconds |
//! | `POST /echo` | streams the body back |
//! | `/stream/:n/:ms` | sends n chunks, one each ms |
//! | `/bytes/:n` | sends n bytes |
//! | `/panic` | panics |
//! | `/peer` | answers with the address of the client |
//! | `/until-stop` | answers when the server is stopped |
//! | `/events` | server-sent events, until the stop |
//! | `/ready`, `/live` | health |

#[path = "support/flags.rs"]
mod flags;
#[path = "support/help.rs"]
mod help;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::process::ExitCode;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_lite::{AsyncRead, StreamExt, io::BufReader};
use neap::http::{self, EventStream, RequestExt, ServerEvent};
use smol::Timer;
use tide::{Body, Request, Response};

fn main() -> ExitCode {
    help::on_request(include_str!("drain.rs"));
    flags::serve(app())
}

fn app() -> tide::Server<()> {
    let mut app = tide::new();
    app.at("/hello").get(|_| async { Ok("Hello World!") });
    app.at("/slow/:ms").get(slow);
    app.at("/echo").post(echo);
    app.at("/stream/:n/:ms").get(chunks);
    app.at("/bytes/:n").get(bytes);
    app.at("/panic").get(panics);
    app.at("/peer").get(peer);
    app.at("/until-stop").get(until_stop);
    app.at("/events").get(events);
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

async fn peer(request: Request<()>) -> tide::Result<String> {
    Ok(format!("{}\n", request.peer_addr().unwrap_or("unknown")))
}

async fn until_stop(request: Request<()>) -> tide::Result<String> {
    let cause = request.stop_token().stopped().await;
    let left = request.remaining_time().unwrap_or_default();
    Ok(format!(
        "stopped by {cause}, {} ms left\n",
        left.as_millis()
    ))
}

/// Sends an event each second, and a last one at the stop. Nothing of async-std runs for it.
async fn events(request: Request<()>) -> tide::Result<EventStream> {
    let ticks = Timer::interval(Duration::from_secs(1)).enumerate();
    let ticks = ticks.map(|(count, _)| ServerEvent::new(count.to_string()).event("tick"));
    Ok(http::events(&request, ticks).last(ServerEvent::new("").event("bye")))
}

fn millis(request: &Request<()>) -> tide::Result<Duration> {
    Ok(Duration::from_millis(request.param("ms")?.parse()?))
}
