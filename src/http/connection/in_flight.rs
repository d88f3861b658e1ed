//! A request in flight: the part of a connection that is large, and there only while it is busy.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_lite::ready;
use pin_project_lite::pin_project;

use super::body_owner::BodyOwner;
use super::exchange::{Answered, Exchange};
use super::permit::Permit;
use super::request_body::RequestBody;
use super::response_writer::ResponseWriter;
use super::transport::Transport;
use crate::executor::panic::{Panicked, catch};
use crate::http::body_handle::BodyHandle;
use crate::http::codec::{AnswerHead, Persistence, Refusal, RequestFraming, RequestHead};
use crate::http::door::{Answer, Door, Failure};
use crate::http::request_context::RequestContext;
use crate::http::socket::{Budget, ConnState};
use crate::http::upgraded::HandOver;

pin_project! {
    /// A request in flight: first the request, then the app's future, then the response.
    ///
    /// It is boxed, and a busy connection keeps the box from request to request: thousands of bytes
    /// cost too much to allocate each time, and too much to hold while idle. Each large part is put
    /// into its place once and stays there: passing it from function to function would copy it.
    pub(super) struct InFlight<D: Door, F> {
        request: Option<D::Request>,
        #[pin]
        app: Option<F>,
        #[pin]
        response: Option<D::Response>,
        exchange: Option<Exchange>,
        // The request's body, as long as the handler may read it.
        body: Option<BodyOwner>,
        writer: Option<ResponseWriter>,
        // That it may be in flight.
        permit: Option<Permit>,
    }
}

/// What is left of a request after its response.
pub(super) struct Remains {
    /// The request's body, if it was not read to its end before the response.
    pub(super) body: Option<BodyOwner>,
    /// Who waits for the connection, if it is no longer HTTP.
    pub(super) upgrade: Option<HandOver>,
    /// The message of the handler's panic.
    pub(super) panic: Option<String>,
    /// Whether the body of the response has failed, so that the peer is there still.
    pub(super) has_body_failed: bool,
}

impl<D: Door, F> Default for InFlight<D, F> {
    fn default() -> Self {
        Self {
            request: None,
            app: None,
            response: None,
            exchange: None,
            body: None,
            writer: None,
            permit: None,
        }
    }
}

impl<D: Door, F: Future<Output = Result<D::Response, Failure>>> InFlight<D, F> {
    /// Takes a request, and gives it its body and its extension.
    ///
    /// # Errors
    ///
    /// The body is longer than the server accepts.
    #[inline(always)]
    pub(super) fn begin(
        self: Pin<&mut Self>,
        transport: &mut Transport,
        head: RequestHead,
        request: Option<D::Request>,
    ) -> Result<(), Refusal> {
        transport.socket.enter(ConnState::Active);
        transport.budget.spend(Budget::REQUEST, 0);
        let arrival = &transport.arrival;
        arrival.lifecycle.note_request(&arrival.noted);
        let mut this = self.project();
        *this.exchange = Some(Exchange::new(transport, head));
        *this.request = request;
        let asked = this.request.as_ref().map(|request| (request, head));
        transport.begin_access::<D>(asked);
        *this.permit = Permit::take(&transport.context);
        if let Some(request) = this.request {
            let is_bare = head.framing == RequestFraming::Empty;
            let asks_upgrade = head.asks_upgrade && is_bare;
            let context = RequestContext::new(&transport.arrival, asks_upgrade);
            D::set_context(request, context);
            if !is_bare {
                *this.body = Some(attach_body::<D>(transport, request, head)?);
            }
        }
        if this.permit.is_none() {
            *this.request = None;
            this.response.set(Some(D::unavailable()));
        }
        Ok(())
    }

    /// Runs the app, which `answer` calls, and sends its response.
    ///
    /// # Errors
    ///
    /// The response was not sent to its end, or the peer is gone.
    #[inline(always)]
    pub(super) fn poll(
        mut self: Pin<&mut Self>,
        transport: &mut Transport,
        answer: impl Fn(D::Request) -> F,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Persistence>> {
        self.as_mut().begin_poll(cx);
        if self.writer.is_none() {
            if self.asks_peer(transport) {
                ready!(transport.poll_flush(cx))?;
            }
            match self.as_mut().poll_app(answer, cx) {
                Poll::Ready(answered) => self.as_mut().begin_response(transport, answered),
                Poll::Pending => ready!(self.as_mut().poll_end(transport, cx)),
            }
            self.as_mut().drop_app(transport);
        }
        self.poll_response(transport, cx)
    }

    /// Returns true if a body is to come from the peer, which may have to be asked for it, while answers
    /// to the requests before it were not sent: they go first.
    #[inline(always)]
    fn asks_peer(&self, transport: &Transport) -> bool {
        let body = self.body.as_ref();
        !transport.output.is_empty() && body.is_some_and(|body| !body.is_received())
    }

    /// Drops the app's future, with all that the handler holds, before the response is sent.
    #[inline(always)]
    fn drop_app(self: Pin<&mut Self>, transport: &Transport) {
        let mut this = self.project();
        if let (Err(panicked), Some(exchange)) = (catch(|| this.app.set(None)), this.exchange) {
            exchange.note_panic(transport, panicked);
        }
    }

    /// Has a read of the body that an earlier poll has begun count only if this one goes on with it.
    #[inline(always)]
    fn begin_poll(self: Pin<&mut Self>, cx: &Context<'_>) {
        let this = self.project();
        if let Some(body) = this.body {
            body.begin_poll(cx.waker());
        }
    }

    /// Sends the response, as long as the peer is there.
    #[inline(always)]
    fn poll_response(
        mut self: Pin<&mut Self>,
        transport: &mut Transport,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Persistence>> {
        let polled = self.as_mut().poll_writer(transport, cx);
        // A body that waits for something must not outlive a peer that is gone.
        if polled.is_pending()
            && self
                .writer
                .as_ref()
                .is_some_and(|writer| writer.awaits_body(transport))
        {
            ready!(self.poll_gone(transport, cx));
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        polled
    }

    /// Writes the response. If its body fails before anything was sent, the client is told so.
    #[inline(always)]
    fn poll_writer(
        self: Pin<&mut Self>,
        transport: &mut Transport,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Persistence>> {
        let mut this = self.project();
        let (Some(writer), Some(exchange)) = (this.writer, this.exchange) else {
            // The peer is gone.
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        };
        // The body of the response may read the request's: the client can be asked for that until here.
        let end_continue = || {
            let body = this.body.as_ref();
            body.map_or(&[][..], |body| body.end_continue())
        };
        let response = this.response.as_mut().as_pin_mut();
        let error = match ready!(writer.poll(response, transport, end_continue, cx)) {
            Ok(persistence) => return Poll::Ready(Ok(persistence)),
            Err(error) => error,
        };
        if let Some(message) = writer.take_panic() {
            exchange.note_panic(transport, Panicked(message));
        }
        if !writer.has_failed_unsent() {
            return Poll::Ready(Err(error));
        }
        let of_request = this.body.as_ref().and_then(|body| body.failure());
        let refusal = of_request.unwrap_or(Refusal::failed());
        *writer = ResponseWriter::refusal(transport, refusal.to(exchange.head.method));
        let response = this.response.as_mut().as_pin_mut();
        writer.poll(response, transport, end_continue, cx)
    }

    /// Runs the app. Its panics are caught, those before its first await too.
    #[inline(always)]
    fn poll_app(
        self: Pin<&mut Self>,
        answer: impl Fn(D::Request) -> F,
        cx: &mut Context<'_>,
    ) -> Poll<Answered> {
        let mut this = self.project();
        let polled = catch(move || {
            if let Some(request) = this.request.take() {
                this.app.set(Some(answer(request)));
            }
            match this.app.as_mut().as_pin_mut() {
                Some(app) => app
                    .poll(cx)
                    .map_ok(|response| this.response.set(Some(response))),
                // It was turned away.
                None if this.response.is_some() => Poll::Ready(Ok(())),
                None => Poll::Pending,
            }
        });
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(panicked) => Poll::Ready(Err(panicked)),
        }
    }

    /// Returns ready when the peer is gone, or when the app has no time left: its response is then begun.
    #[inline(always)]
    fn poll_end(
        mut self: Pin<&mut Self>,
        transport: &mut Transport,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if self.as_mut().poll_gone(transport, cx).is_ready() {
            return Poll::Ready(());
        }
        let deadline = self
            .exchange
            .as_ref()
            .and_then(|exchange| exchange.deadline);
        // While an answer from before is being written, that is waited for.
        let Some(deadline) = deadline.filter(|_| transport.output.is_empty()) else {
            return Poll::Pending;
        };
        ready!(transport.poll_timer(cx, deadline));
        let mut this = self.as_mut().project();
        this.response.set(Some(D::unavailable()));
        self.begin_response(transport, Ok(Ok(())));
        Poll::Ready(())
    }

    /// Returns ready when the peer is gone while the app, or the body of its response, waits. The answers
    /// to the requests before are sent first.
    #[inline(always)]
    fn poll_gone(
        self: Pin<&mut Self>,
        transport: &mut Transport,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if ready!(transport.poll_flush(cx)).is_err() {
            return Poll::Ready(());
        }
        let this = self.project();
        take_back_whole(this.body, transport);
        match (this.body, this.exchange) {
            (None, Some(exchange)) => transport.poll_gone(cx, &mut exchange.watching),
            (Some(body), Some(exchange)) => body.poll_gone(transport, cx, &mut exchange.watching),
            _ => Poll::Pending,
        }
    }

    /// Begins the response to what the app has answered.
    #[inline(always)]
    fn begin_response(self: Pin<&mut Self>, transport: &mut Transport, answered: Answered) {
        let mut this = self.project();
        let Some(exchange) = this.exchange else {
            return;
        };
        take_back_whole(this.body, transport);
        let response = this.response.as_ref().get_ref().as_ref();
        if let Some(failed) = exchange.conclude(transport, answered, response) {
            if let Err(panicked) = catch(|| this.response.set(None)) {
                exchange.note_panic(transport, panicked);
            }
            this.response.set(Some(D::empty(failed)));
        }
        let Some(response) = this.response.as_ref().get_ref() else {
            return;
        };
        let mut close = exchange.panic.is_some();
        if let Some(body) = this.body {
            // A handler that fails over a broken body passes the body's error on. The client is told
            // what was wrong with the body.
            let failed = response.status().as_u16() >= 400;
            if let Some(refusal) = body.failure().filter(|_| failed) {
                let refusal = refusal.to(exchange.head.method);
                *this.writer = Some(ResponseWriter::refusal(transport, refusal));
                return;
            }
            close |= body.must_close();
        }
        let writer = ResponseWriter::new(transport, response, exchange.head, close);
        *this.writer = Some(writer);
    }

    /// Drops the request and its response in place, if it had no body to deal with. Returns true if so.
    pub(super) fn end_without_body(self: Pin<&mut Self>, transport: &Transport) -> bool {
        let mut this = self.project();
        let exchange = this.exchange.as_mut();
        if this.body.is_some() || exchange.is_some_and(|exchange| exchange.panic.is_some()) {
            return false;
        }
        *this.writer = None;
        if let Err(panicked) = catch(|| this.response.set(None)) {
            if let Some(exchange) = this.exchange {
                exchange.note_panic(transport, panicked);
            }
            return false;
        }
        *this.exchange = None;
        *this.permit = None;
        true
    }

    /// Takes out what is left of the request, and drops the response. With `upgrade`, the connection is
    /// no longer HTTP.
    pub(super) fn end(self: Pin<&mut Self>, transport: &Transport, upgrade: bool) -> Remains {
        let mut this = self.project();
        let writer = this.writer.take();
        *this.permit = None;
        let mut hand_over = None;
        if let Some(response) = this.response.as_mut().as_pin_mut().filter(|_| upgrade) {
            hand_over = response.take_upgrade();
        }
        let dropped = catch(|| this.response.set(None));
        if let (Err(panicked), Some(exchange)) = (dropped, this.exchange.as_mut()) {
            exchange.note_panic(transport, panicked);
        }
        Remains {
            body: this.body.take(),
            upgrade: hand_over,
            panic: this.exchange.take().and_then(|exchange| exchange.panic),
            has_body_failed: writer.is_some_and(|writer| writer.has_body_failed),
        }
    }
}

/// Gives a request its body, and returns the connection's end of it.
///
/// # Errors
///
/// The body is longer than the server accepts.
fn attach_body<D: Door>(
    transport: &mut Transport,
    request: &mut D::Request,
    head: RequestHead,
) -> Result<BodyOwner, Refusal> {
    let length = match head.framing {
        RequestFraming::Length(length) if length > transport.context.settings.max_body => {
            return Err(Refusal::body_too_long());
        }
        RequestFraming::Length(length) => Some(length),
        RequestFraming::Empty | RequestFraming::Chunked => None,
    };
    let body = Arc::new(RequestBody::new(transport, head));
    let handle = BodyHandle::new(Arc::clone(&body) as _);
    D::set_body(request, handle, length);
    Ok(BodyOwner::new(body))
}

/// Takes back the buffer from a body of which nothing is left to read, so that the connection reads the
/// socket again.
#[inline(always)]
fn take_back_whole(body: &mut Option<BodyOwner>, transport: &mut Transport) {
    if let Some(body) = body.take_if(|body| body.is_whole()) {
        body.end_whole(transport);
    }
}
