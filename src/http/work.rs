//! A request being served: what is large about a connection, and only there while it is busy.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_lite::ready;
use pin_project_lite::pin_project;

use super::connection::Connection;
use super::exchange::{Answered, Exchange};
use super::outgoing::{Outgoing, Sent};

pin_project! {
    /// The app's future, and then its response.
    ///
    /// It has a place of its own that a busy connection keeps from request to request: thousands
    /// of bytes cost too much to allocate each time, and more to hold on to while idle.
    pub(super) struct Work<F> {
        #[pin]
        app: Option<F>,
        exchange: Option<Exchange>,
        outgoing: Option<Outgoing>,
    }
}

impl<F> Default for Work<F> {
    fn default() -> Self {
        Self {
            app: None,
            exchange: None,
            outgoing: None,
        }
    }
}

impl<F: Future<Output = Answered>> Work<F> {
    /// Takes up a request.
    pub(super) fn begin(self: Pin<&mut Self>, exchange: Exchange, app: F) {
        let mut this = self.project();
        *this.exchange = Some(exchange);
        this.app.set(Some(app));
    }

    /// Lets the app work, and sends its response.
    ///
    /// # Errors
    ///
    /// The response was not sent to its end, or there was nobody to send it to.
    pub(super) fn poll(
        self: Pin<&mut Self>,
        connection: &mut Connection,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Sent>> {
        let mut this = self.project();
        if let (Some(app), Some(exchange)) = (this.app.as_mut().as_pin_mut(), this.exchange) {
            *this.outgoing = ready!(exchange.poll_answer(connection, app, cx));
            // Dropped before the response is sent, with all that the handler has held.
            this.app.set(None);
        }
        match this.outgoing {
            Some(outgoing) => outgoing.poll(connection, cx),
            None => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
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
        }
        simple
    }

    /// Hands the request and its response out.
    pub(super) fn end(self: Pin<&mut Self>) -> (Option<Exchange>, Option<Outgoing>) {
        let this = self.project();
        (this.exchange.take(), this.outgoing.take())
    }
}
