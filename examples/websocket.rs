//! A WebSocket of an axum `Router`, without tokio. It sends back what it gets, and says at the stop that the
//! server goes away.
//!
//! ```text
//! cargo run --features http --example websocket
//! ```
//!
//! In the console of a browser: `socket = new WebSocket("ws://localhost:8080/echo")`, then
//! `socket.onmessage = console.log; socket.onclose = console.log; socket.send("hello")`.
//!
//! Press Ctrl-C: the browser has a close with the code 1001, and answers it, and the server ends.

#[path = "support/help.rs"]
mod help;

use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::handshake::server::create_response_with_body;
use async_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use async_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use async_tungstenite::tungstenite::{Error, Message};
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router, routing::get};
use futures_lite::StreamExt;
use neap::http::{self, RequestContext, Upgraded};
use neap::{Group, StopToken, signal};

pub(crate) fn app() -> Router {
    Router::new().route("/echo", get(echo))
}

/// Answers with 101, and leaves the connection to a task of its own: it is there once that answer is sent.
async fn echo(Extension(context): Extension<RequestContext>, request: Request) -> Response {
    let response = create_response_with_body(&request, Body::empty);
    let (Ok(response), Some(upgrade)) = (response, context.upgrade()) else {
        return (StatusCode::BAD_REQUEST, "not the handshake of a WebSocket").into_response();
    };
    smol::spawn(async move {
        // `None` if the answer was not sent.
        let Some(stream) = upgrade.await else { return };
        // The server waits until the socket is dropped, and cuts it at the deadline of the drain.
        let socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        if let Err(error) = talk(socket, context.stop_token()).await {
            eprintln!("{}: {error}", context.peer());
        }
    })
    .detach();
    response
}

/// Sends messages back until the client closes, or the server stops. Then waits for the client's answer.
async fn talk(mut socket: WebSocketStream<Upgraded>, stop: StopToken) -> Result<(), Error> {
    while let Some(message) = stop.run_until_stopped(socket.next()).await {
        match message.transpose()? {
            Some(message @ (Message::Text(_) | Message::Binary(_))) => socket.send(message).await?,
            Some(_) => {}
            None => return Ok(()),
        }
    }
    let (code, reason) = (CloseCode::Away, "the server stops".into());
    socket.close(Some(CloseFrame { code, reason })).await?;
    while socket.next().await.transpose()?.is_some() {}
    Ok(())
}

#[allow(dead_code, reason = "a test serves the app in its own way")]
fn main() -> Result<(), neap::Error> {
    help::on_request(include_str!("websocket.rs"));
    let addr = std::env::args().nth(1);
    let addr = addr.unwrap_or("127.0.0.1:8080".into());
    let mut group = Group::new().stop_on(signal::termination()?);
    group.add("http", http::serve(http::service(app()), addr));
    println!("{}", smol::block_on(group.run())?);
    Ok(())
}
