//! The app that the servers serve, for tide.

use std::time::Duration;

use neap::http::{self, RequestExt};
use tide::{Body, Request, Response};

use super::echo;
use super::handler_gate::arrive;

/// Returns an app with an endpoint for each kind of test.
pub fn app() -> tide::Server<()> {
    fn number(request: &Request<()>) -> tide::Result<u64> {
        Ok(request.param("n")?.parse()?)
    }

    let mut app = tide::new();
    app.at("/hello").get(|_| async { Ok("Hello World!") });
    app.at("/ready").get(http::ready());
    app.at("/ready/server").get(http::ready().server_only());
    app.at("/live").get(http::live());
    app.at("/gate/:n").get(|request: Request<()>| async move {
        arrive(number(&request)?).pass().await;
        Ok("through the gate")
    });
    // Blocks its thread, with all other tasks on it.
    app.at("/block/:n").get(|request: Request<()>| async move {
        arrive(number(&request)?).pass_blocking();
        Ok("through the gate")
    });
    app.at("/bytes/:n").get(|request: Request<()>| async move {
        Ok(Body::from_bytes(vec![b'x'; number(&request)? as usize]))
    });
    app.at("/until-stop")
        .get(|request: Request<()>| async move {
            request.stop_token().stopped().await;
            Ok(format!("{:?}", request.remaining_time().is_some()))
        });
    app.at("/echo").post(|mut request: Request<()>| async move {
        let length = request.len();
        Ok(Body::from_reader(request.take_body(), length))
    });
    app.at("/read")
        .post(|mut request: Request<()>| async move { request.body_string().await });
    app.at("/events").get(tide::sse::endpoint(
        |_, sender: tide::sse::Sender| async move {
            loop {
                sender.send("tick", "tock", None).await?;
                async_io::Timer::after(Duration::from_millis(5)).await;
            }
        },
    ));
    app.at("/panic").get(|request: Request<()>| async move {
        let path = request.url().path().to_owned();
        if path == "/panic" {
            panic!("as asked");
        }
        Ok(path)
    });
    app.at("/upgrade").get(|_| upgrade());
    // Answers at the stop.
    app.at("/late").get(|request: Request<()>| async move {
        request.stop_token().stopped().await;
        upgrade().await
    });
    app
}

/// Switches to a protocol in which every byte comes back.
async fn upgrade() -> tide::Result<Response> {
    let mut response = Response::new(101);
    response.insert_header("upgrade", "echo");
    response.insert_header("connection", "upgrade");
    let inner: &mut http_types::Response = response.as_mut();
    let upgrade = inner.recv_upgrade().await;
    async_std::task::spawn(async move {
        if let Some(connection) = upgrade.await {
            echo(connection).await;
        }
    });
    Ok(response)
}

/// Returns an app that reads each body.
pub fn reading() -> tide::Server<()> {
    let mut app = tide::new();
    app.at("/")
        .all(|mut request: Request<()>| async move { request.body_string().await });
    app.at("/*").all(|mut request: Request<()>| async move {
        request.body_string().await?;
        Ok(request.url().to_string())
    });
    app
}
