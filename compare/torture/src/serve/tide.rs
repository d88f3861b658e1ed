//! The app of tide.

use std::time::Duration;

use async_io::Timer;
use futures_lite::AsyncReadExt;
use futures_lite::io::BufReader;
use neap::http::RequestExt;
use tide::{Body, Request, Response};

use super::heap;
use super::streams::{AlwaysReady, PART, Ticks, send_back};

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
    app.at("/events")
        .get(|_| async { Ok(body(Ticks::for_ever())) });
    app.at("/until-stop")
        .get(|request: Request<()>| async move { Ok(body(Ticks::until(request.stop_token()))) });
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
    Ok(body(Ticks::new(number(&request, "n")?, pause)))
}

fn body(ticks: Ticks) -> Body {
    Body::from_reader(BufReader::new(ticks), None)
}

async fn endless(_: Request<()>) -> tide::Result<Body> {
    Ok(Body::from_reader(
        BufReader::with_capacity(PART, AlwaysReady),
        None,
    ))
}

async fn upgrade(_: Request<()>) -> tide::Result<Response> {
    let mut response = Response::new(101);
    response.insert_header("upgrade", "echo");
    response.insert_header("connection", "upgrade");
    let inner: &mut http_types::Response = response.as_mut();
    let upgrade = inner.recv_upgrade().await;
    async_std::task::spawn(async move {
        if let Some(connection) = upgrade.await {
            send_back(connection).await;
        }
    });
    Ok(response)
}

#[allow(clippy::panic)]
async fn panics(_: Request<()>) -> tide::Result<Response> {
    panic!("as asked")
}
