//! The app that is served: a route for each kind of client.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_io::Timer;
use futures_lite::io::BufReader;
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use neap::StopToken;
use neap::http::RequestExt;
use tide::{Body, Request, Response};

use super::heap;

/// The length of one part of a stream that is always ready, in bytes: as axum's has in
/// `peers/attacked`.
const PART: usize = 1024;

pub(super) fn app() -> tide::Server<()> {
    let mut app = tide::new();
    app.at("/hello").get(|_| async { Ok("Hello World!") });
    app.at("/slow/:n").get(slow);
    app.at("/read").post(read);
    app.at("/sink").post(sink);
    app.at("/echo").post(echo);
    app.at("/bytes/:n").get(bytes);
    app.at("/stream/:n/:ms").get(stream);
    app.at("/endless").get(endless);
    app.at("/events").get(|_| async { Ok(ticks(None)) });
    app.at("/until-stop")
        .get(|request: Request<()>| async move { Ok(ticks(Some(request.stop_token()))) });
    app.at("/upgrade").get(upgrade);
    app.at("/panic").get(panics);
    app.at("/heap")
        .get(|_| async { Ok(heap::live().to_string()) });
    app
}

fn number(request: &Request<()>, name: &str) -> tide::Result<u64> {
    Ok(request.param(name)?.parse()?)
}

async fn slow(request: Request<()>) -> tide::Result<&'static str> {
    Timer::after(Duration::from_millis(number(&request, "n")?)).await;
    Ok("slow done")
}

/// Answers with the length of the body, which it keeps until it is whole.
async fn read(mut request: Request<()>) -> tide::Result<String> {
    Ok(request.body_bytes().await?.len().to_string())
}

/// Answers with the length of the body, of which it keeps nothing.
async fn sink(mut request: Request<()>) -> tide::Result<String> {
    let (mut part, mut length) = (vec![0; 16 * 1024], 0);
    loop {
        match request.read(&mut part).await? {
            0 => return Ok(length.to_string()),
            read => length += read,
        }
    }
}

async fn echo(mut request: Request<()>) -> tide::Result<Body> {
    let length = request.len();
    Ok(Body::from_reader(request.take_body(), length))
}

async fn bytes(request: Request<()>) -> tide::Result<Body> {
    let length = usize::try_from(number(&request, "n")?)?;
    Ok(Body::from_bytes(vec![b'x'; length]))
}

async fn stream(request: Request<()>) -> tide::Result<Body> {
    let pause = Duration::from_millis(number(&request, "ms")?);
    let stream = Ticks {
        left: number(&request, "n")?,
        pause,
        timer: Timer::after(pause),
        until: None,
    };
    Ok(Body::from_reader(BufReader::new(stream), None))
}

/// A stream of ticks, one in 5 ms, that ends at the stop, or never.
fn ticks(until: Option<StopToken>) -> Body {
    let pause = Duration::from_millis(5);
    let stream = Ticks {
        left: u64::MAX,
        pause,
        timer: Timer::after(pause),
        until,
    };
    Body::from_reader(BufReader::new(stream), None)
}

/// A body of n parts, one after each pause.
struct Ticks {
    left: u64,
    pause: Duration,
    timer: Timer,
    /// Ends the body when it is stopped.
    until: Option<StopToken>,
}

impl AsyncRead for Ticks {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let over = self.until.as_ref().is_some_and(StopToken::is_stopped);
        if self.left == 0 || over {
            return Poll::Ready(Ok(0));
        }
        ready!(Pin::new(&mut self.timer).poll(cx));
        let pause = self.pause;
        self.timer.set_after(pause);
        self.left -= 1;
        out[..5].copy_from_slice(b"tick\n");
        Poll::Ready(Ok(5))
    }
}

async fn endless(_: Request<()>) -> tide::Result<Body> {
    Ok(Body::from_reader(
        BufReader::with_capacity(PART, AlwaysReady),
        None,
    ))
}

/// A body that is always ready, and never ends.
struct AlwaysReady;

impl AsyncRead for AlwaysReady {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let length = out.len().min(PART);
        out[..length].fill(b'x');
        Poll::Ready(Ok(length))
    }
}

async fn upgrade(_: Request<()>) -> tide::Result<Response> {
    let mut response = Response::new(101);
    response.insert_header("upgrade", "echo");
    response.insert_header("connection", "upgrade");
    let inner: &mut http_types::Response = response.as_mut();
    let upgrade = inner.recv_upgrade().await;
    async_std::task::spawn(async move {
        let Some(mut connection) = upgrade.await else {
            return;
        };
        let mut buffer = [0; 256];
        while let Ok(length @ 1..) = connection.read(&mut buffer).await {
            if connection.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    });
    Ok(response)
}

#[allow(clippy::panic)]
async fn panics(_: Request<()>) -> tide::Result<Response> {
    panic!("as asked")
}
