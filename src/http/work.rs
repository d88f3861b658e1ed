//! A request being served: what is large about a connection, and only there while it is busy.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_lite::ready;
use http_types::{Request, Response, Result};
use pin_project_lite::pin_project;

use super::connection::Connection;
use super::exchange::{Answered, Exchange};
use super::outgoing::{Outgoing, Sent};

pin_project! {
    /// The request, then the app's future, and then its response.
    ///
    /// It has a place of its own that a busy connection keeps from request to request: thousands
    /// of bytes cost too much to allocate each time, and more to hold on to while idle. Each of the
    /// large things is put into its place at once and stays there: to hand them from function to
    /// function would copy them as often.
    pub(super) struct Work<F> {
        request: Option<Request>,
        #[pin]
        app: Option<F>,
        response: Option<Response>,
        exchange: Option<Exchange>,
        outgoing: Option<Outgoing>,
    }
}

impl<F> Default for Work<F> {
    fn default() -> Self {
        Self {
            request: None,
            app: None,
            response: None,
            exchange: None,
            outgoing: None,
        }
    }
}

impl<F: Future<Output = Result<Response>>> Work<F> {
    /// Takes up a request.
    #[inline(always)]
    pub(super) fn begin(self: Pin<&mut Self>, exchange: Exchange, request: Option<Request>) {
        let this = self.project();
        *this.exchange = Some(exchange);
        *this.request = request;
    }

    /// Lets the app work, which `answer` calls, and sends its response.
    ///
    /// # Errors
    ///
    /// The response was not sent to its end, or there was nobody to send it to.
    #[inline(always)]
    pub(super) fn poll(
        mut self: Pin<&mut Self>,
        connection: &mut Connection,
        answer: impl Fn(Request) -> F,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Sent>> {
        if self.outgoing.is_none() {
            let answered = self.as_mut().poll_app(answer, cx);
            let mut this = self.as_mut().project();
            if let Some(exchange) = this.exchange {
                *this.outgoing =
                    ready!(exchange.poll_answer(connection, answered, this.response, cx));
            }
            // Dropped before the response is sent, with all that the handler has held.
            this.app.set(None);
        }
        let this = self.project();
        match (this.outgoing, this.response) {
            (Some(outgoing), Some(response)) => outgoing.poll(response, connection, cx),
            _ => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        }
    }

    /// Lets the app work. Its panics are caught: also one before the first await.
    #[inline(always)]
    fn poll_app(
        self: Pin<&mut Self>,
        answer: impl Fn(Request) -> F,
        cx: &mut Context<'_>,
    ) -> Poll<Answered> {
        let mut this = self.project();
        let work = AssertUnwindSafe(move || {
            if let Some(request) = this.request.take() {
                this.app.set(Some(answer(request)));
            }
            match this.app.as_mut().as_pin_mut() {
                Some(app) => app.poll(cx).map_ok(|done| *this.response = Some(done)),
                None => Poll::Pending,
            }
        });
        match catch_unwind(work) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }

    /// Lets go of the request and its response where they are, and is true, if nothing else is
    /// left to do about them.
    pub(super) fn end_simply(self: Pin<&mut Self>) -> bool {
        let this = self.project();
        let simple = this.exchange.as_ref().is_some_and(Exchange::is_simple);
        if simple {
            *this.exchange = None;
            *this.outgoing = None;
            *this.response = None;
        }
        simple
    }

    /// Hands the request and its response out.
    pub(super) fn end(self: Pin<&mut Self>) -> (Option<Exchange>, Option<Response>) {
        let this = self.project();
        *this.outgoing = None;
        (this.exchange.take(), this.response.take())
    }
}
