//! One request and its answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_lite::{future, ready};
use http_types::{Body, Request, Response, Result, StatusCode};

use super::body::{Incoming, Reader};
use super::codec::{Refusal, RequestFraming, RequestHead};
use super::connection::Connection;
use super::outgoing::{Asked, Outgoing};
use super::request::Served;
use super::upgrade::Upgraded;
use super::wire::State;
use crate::net::panic_message;

/// A request that the app works on, beside the app's own future.
pub(super) struct Exchange {
    asked: Asked,
    /// The body, as long as the app may still read it.
    incoming: Option<Arc<Incoming>>,
    /// Whether a reset by the peer is still looked for.
    watching: bool,
    /// What a panic of the handler said.
    pub(super) panic: Option<String>,
}

/// How the app's work ends; its response is in its place.
pub(super) type Answered = std::thread::Result<Result<()>>;

impl Exchange {
    /// Gives the request its body and its extension.
    ///
    /// # Errors
    ///
    /// The body is longer than the server takes.
    #[inline(always)]
    pub(super) fn begin(
        connection: &mut Connection,
        head: RequestHead,
        request: &mut Request,
    ) -> std::result::Result<Self, Refusal> {
        connection.wire.enter(State::Active);
        let exchange = Self {
            asked: Asked {
                method: head.method,
                old: head.is_http10,
                keep_alive: head.keep_alive,
            },
            incoming: None,
            watching: true,
            panic: None,
        };
        let served = Served(connection.shared.lifecycle.clone());
        request.ext_mut().insert(served);
        if head.framing == RequestFraming::Empty {
            return Ok(exchange);
        }
        exchange.attach_body(connection, request, head.framing, head.expects_continue)
    }

    fn attach_body(
        mut self,
        connection: &mut Connection,
        request: &mut Request,
        framing: RequestFraming,
        expects_continue: bool,
    ) -> std::result::Result<Self, Refusal> {
        let options = &connection.shared.options;
        let (length, trailers) = match framing {
            RequestFraming::Length(length) if length > options.max_body => {
                return Err(Refusal::body_too_long());
            }
            RequestFraming::Length(length) => (usize::try_from(length).ok(), None),
            _ => (None, Some(request.send_trailers())),
        };
        let incoming = Arc::new(Incoming::new(
            connection.wire.clone(),
            std::mem::take(&mut connection.buffer),
            framing,
            expects_continue,
            options.body_timeout,
            options.max_body,
            trailers,
        ));
        request.set_body(Body::from_reader(Reader::new(incoming.clone()), length));
        self.incoming = Some(incoming);
        Ok(self)
    }

    /// Goes on from how far the app has come, and watches the peer if it is still at work; `None` if
    /// the peer has reset the connection, and nobody waits for an answer.
    #[inline(always)]
    pub(super) fn poll_answer(
        &mut self,
        connection: &mut Connection,
        app: Poll<Answered>,
        response: &mut Option<Response>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Outgoing>> {
        if let Poll::Ready(answered) = app {
            return Poll::Ready(Some(self.respond(connection, answered, response)));
        }
        if self
            .incoming
            .as_ref()
            .is_some_and(|incoming| incoming.is_whole())
        {
            // The body has ended, so the reading side is the connection's again.
            if let Some(incoming) = self.incoming.take() {
                connection.buffer = incoming.take_back().buffer;
            }
        }
        if self.incoming.is_none() {
            ready!(connection.poll_gone(cx, &mut self.watching));
            return Poll::Ready(None);
        }
        Poll::Pending
    }

    /// From what the app has come to, to what is sent.
    #[inline(always)]
    fn respond(
        &mut self,
        connection: &mut Connection,
        answered: Answered,
        response: &mut Option<Response>,
    ) -> Outgoing {
        let failed = match answered {
            Ok(Ok(())) => None,
            Ok(Err(error)) => {
                if error.status().is_server_error() {
                    log::error!("request from {} failed: {error}", connection.peer());
                }
                Some(error.status())
            }
            Err(panic) => {
                let message = panic_message(&*panic).to_owned();
                log::error!(
                    "handler panicked on a request from {}: {message}",
                    connection.peer()
                );
                self.panic = Some(message);
                Some(StatusCode::InternalServerError)
            }
        };
        // Where there is a response already, it stays where it is.
        let response = match failed {
            Some(status) => response.insert(Response::new(status)),
            None => response.get_or_insert_with(|| Response::new(StatusCode::InternalServerError)),
        };
        let Some(incoming) = &self.incoming else {
            let close = self.panic.is_some();
            return Outgoing::new(connection, response, self.asked, close, true);
        };
        // A handler that fails over a broken body passes the error on: the client is told what it was.
        let failure = incoming.failure();
        if let Some(refusal) = failure.filter(|_| u16::from(response.status()) >= 400) {
            return Outgoing::refusal(connection, refusal);
        }
        let close = incoming.is_given_up() || self.panic.is_some();
        Outgoing::new(connection, response, self.asked, close, false)
    }

    /// Whether there is no body that is still to be dealt with.
    pub(super) fn is_simple(&self) -> bool {
        self.incoming.is_none()
    }

    /// Reads what the handler has left of the body; true if the next request starts behind it.
    ///
    /// `kept` is whether there may be one: otherwise the socket is only taken back.
    pub(super) async fn end(&mut self, connection: &mut Connection, kept: bool) -> bool {
        let Some(incoming) = self.incoming.take() else {
            return kept;
        };
        if kept && !incoming.is_whole() {
            incoming.discard().await;
        }
        let returned = incoming.take_back();
        connection.buffer = returned.buffer;
        kept && returned.whole
    }
}

/// Hands the connection over, and stays with it until it is dropped.
pub(super) async fn upgrade(connection: &mut Connection, mut response: Response) {
    let buffer = std::mem::take(&mut connection.buffer);
    let (upgraded, closed) = Upgraded::new(connection.wire.clone(), buffer);
    connection.wire.enter(State::Upgraded);
    let upgrading = AssertUnwindSafe(&mut response);
    // It panics if the handler has taken the sender itself.
    let Ok(sender) = std::panic::catch_unwind(move || { upgrading }.send_upgrade()) else {
        return;
    };
    sender
        .send(http_types::upgrade::Connection::new(upgraded))
        .await;
    drop(response);
    let closed = async {
        let _ = closed.recv().await;
    };
    if connection.shared.options.wait_upgraded {
        return closed.await;
    }
    let draining = connection.shared.lifecycle.draining();
    let draining = async {
        draining.stopped().await;
    };
    future::or(closed, draining).await;
}
