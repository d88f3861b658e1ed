//! Clients that leave before they have their answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_channel::Sender;
use futures_lite::AsyncRead;
use futures_lite::io::BufReader;
use neap::http::Server;
use tide::{Body, Request};

use crate::http_support::{app, eventually, run};

/// A body that never ends, and closes a channel when it is dropped.
struct Endless(#[allow(dead_code, reason = "it is dropped")] Sender<()>);

impl AsyncRead for Endless {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Pending
    }
}

#[test]
fn an_endless_answer_ends_when_its_client_resets() {
    let without_body = "GET /endless HTTP/1.1\r\nhost: a\r\n\r\n";
    let with_body = "POST /endless HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx";
    for request in [without_body, with_body] {
        let (sender, receiver) = async_channel::bounded::<()>(1);
        let mut app = app();
        app.at("/endless").all(move |mut request: Request<()>| {
            let body = Endless(sender.clone());
            async move {
                request.body_bytes().await?;
                Ok(Body::from_reader(BufReader::new(body), None))
            }
        });
        let running = run(Server::new(app, "127.0.0.1:0"));
        let mut client = running.connect();
        client.send(request).head().unwrap().unwrap();
        client.reset();
        eventually("the end of the body", || receiver.sender_count() == 1);
        running.stop();
    }
}
