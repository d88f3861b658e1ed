//! One connection, from its accept to its close.
//!
//! The way of a request: the `head_reader` waits for its head. `in_flight` runs the app with it, and
//! joins what serves it: the `exchange` with the app's outcome, the `request_body`, which the handler
//! reads through its door, and the `response_writer`, with `gather` for its body. Then the connection is idle and waits
//! for the next head, or it ends: in `close`, or, if it is no longer HTTP, in `upgrade`.
//!
//! Each of these parts is given the [`Transport`] while it works. The exchange, the request's body, the
//! response writer and the close know nothing of each other.
//!
//! Between two requests a connection is small: its own struct and the future around it. What is large
//! is in a box of its own, [`InFlight`], which a busy connection keeps and an idle one gives back.

mod access;
mod begun_record;
mod body_owner;
mod body_source;
mod close;
mod exchange;
mod gather;
mod handler_panicked;
#[cfg(feature = "tls")]
mod handshake;
mod head_parser;
mod head_reader;
mod held;
mod in_flight;
#[cfg(feature = "proxy-protocol")]
mod introduction;
mod lifetime;
#[cfg(any(feature = "tls", feature = "proxy-protocol"))]
mod opening;
mod output;
mod patience;
mod permit;
mod read_ahead;
mod read_wakers;
mod request_body;
mod response_writer;
mod transport;
mod upgrade;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_lite::ready;

use self::close::CloseMode;
pub(super) use self::handler_panicked::HandlerPanicked;
#[cfg(fuzzing)]
pub(super) use self::head_parser::HeadParser;
use self::head_reader::{Awaited, HeadReader};
use self::held::Held;
use self::in_flight::{InFlight, Remains};
use self::response_writer::ResponseWriter;
use self::transport::Transport;
use super::app::App;
use super::codec::{MethodKind, Persistence, Refusal};
use super::context::ServerContext;
use super::door::{Door, Failure};
use super::socket::ConnState;
use crate::net::connections::Counted;
use crate::net::stream::Stream;
use crate::stop::token::StopToken;

/// One connection of a server, counted and in the registry for as long as it lives.
///
/// Dropping it before its end is the cancel: see [`Drop`].
pub(super) struct Connection<D: Door> {
    /// Its key in the registry.
    key: usize,
    /// Whether it has come to its end, so that its drop is no cancel.
    has_ended: bool,
    heads: HeadReader<D>,
    transport: Transport,
    // The last field, so that the socket is closed before the count falls.
    _counted: Counted,
}

/// The connection is to be closed after the present request.
struct LastRequest {
    mode: CloseMode,
    /// The message of the handler's panic.
    panic: Option<String>,
}

/// Serves a connection until either side closes it.
///
/// # Errors
///
/// A handler has panicked, and the server's settings make that a failure of the service.
pub(super) async fn serve<A: App>(
    mut connection: Box<Connection<A::Door>>,
    app: Arc<A>,
) -> Result<(), HandlerPanicked> {
    #[cfg(any(feature = "tls", feature = "proxy-protocol"))]
    if let Some(mode) = connection.open().await {
        return connection.close(mode.into()).await;
    }
    let mut held = Held::new(None, &connection.transport);
    let in_flight = &mut held.value;
    let answer = |request| app.respond(request);
    let last = loop {
        // The request does not pass through this future, which exists while it is idle.
        match poll_fn(|cx| connection.poll_request(in_flight, cx)).await {
            Awaited::Request(_) => {}
            Awaited::Pause => connection.rest(in_flight),
            Awaited::Refusal(refusal) => break connection.refuse(refusal).await.into(),
            Awaited::Close(mode) => break mode.into(),
        }
        let Some(in_flight) = in_flight else {
            continue;
        };
        let transport = &mut connection.transport;
        let sent = poll_fn(|cx| in_flight.as_mut().poll(transport, answer, cx)).await;
        if matches!(sent, Ok(Persistence::Keep | Persistence::KeepSaid))
            && in_flight.as_mut().end_without_body(transport)
        {
            connection.begin_idle(connection.transport.context.time.now());
            continue;
        }
        // Boxed, so that what is rare takes no room in this future.
        let ended = Box::pin(connection.end_request(in_flight.as_mut(), sent)).await;
        if let Err(last) = ended {
            break last;
        }
    };
    drop(held);
    connection.close(last).await
}

impl<D: Door> Connection<D> {
    /// Makes a connection that has just been accepted.
    pub(super) fn new(context: Arc<ServerContext>, stream: Stream, counted: Counted) -> Box<Self> {
        #[cfg(feature = "tls")]
        let stream = match &context.tls {
            Some(tls) => stream.with_tls(tls),
            None => stream,
        };
        let transport = Transport::new(context, stream);
        Box::new(Self {
            key: transport.context.registry.enter(transport.socket.clone()),
            has_ended: false,
            heads: HeadReader::new(&transport, &transport.arrival),
            transport,
            _counted: counted,
        })
    }

    /// Returns a token that is stopped when the server itself cancels.
    pub(super) fn cancelling(&self) -> StopToken {
        self.transport.context.lifecycle.cancelling()
    }

    /// Waits for the next request, and puts it in flight.
    fn poll_request<F: Future<Output = Result<D::Response, Failure>>>(
        &mut self,
        in_flight: &mut Option<Pin<Box<InFlight<D, F>>>>,
        cx: &mut Context<'_>,
    ) -> Poll<Awaited> {
        let (transport, has_memory) = (&mut self.transport, in_flight.is_some());
        // Requests that are buffered are answered without a wait in between.
        ready!(transport.budget.poll(cx));
        let mut request = None;
        let awaited = ready!(self.heads.poll(transport, has_memory, &mut request, cx));
        let head = match awaited {
            Awaited::Request(head) => head,
            // Its head is still in the buffer.
            Awaited::Refusal(refusal) if transport.buffer.filled().starts_with(b"HEAD ") => {
                return Poll::Ready(Awaited::Refusal(refusal.to(MethodKind::Head)));
            }
            _ => return Poll::Ready(awaited),
        };
        let in_flight = in_flight.get_or_insert_with(|| Box::pin(InFlight::default()));
        Poll::Ready(match in_flight.as_mut().begin(transport, head, request) {
            Ok(()) => awaited,
            Err(refusal) => Awaited::Refusal(refusal.to(head.method)),
        })
    }

    /// Answers a message that is not served.
    fn refuse(
        &mut self,
        refusal: Refusal,
    ) -> Pin<Box<impl Future<Output = CloseMode> + use<'_, D>>> {
        let transport = &mut self.transport;
        if transport.access.is_none() {
            transport.begin_access::<D>(None);
        }
        let mut writer = ResponseWriter::refusal(transport, refusal);
        Box::pin(async move {
            // The whole answer is in the writer: there is no response to read from.
            let none = || None::<Pin<&mut D::Response>>;
            match poll_fn(|cx| writer.poll(none(), transport, || &[], cx)).await {
                Ok(_) => CloseMode::Linger,
                // The peer is gone, or does not read.
                Err(error) => close::cut_response(transport, &error, false),
            }
        })
    }

    /// Ends a request that had a body, or whose connection does not go on as usual.
    ///
    /// # Errors
    ///
    /// No other request can follow on this connection.
    async fn end_request<F: Future<Output = Result<D::Response, Failure>>>(
        &mut self,
        in_flight: Pin<&mut InFlight<D, F>>,
        sent: io::Result<Persistence>,
    ) -> Result<(), LastRequest> {
        let response_end = self.transport.context.time.now();
        let is_upgrade = matches!(sent, Ok(Persistence::Upgrade));
        let Remains {
            body,
            upgrade,
            panic,
            has_body_failed,
        } = in_flight.end(&self.transport, is_upgrade);
        let mut keep = matches!(sent, Ok(Persistence::Keep | Persistence::KeepSaid));
        keep &= panic.is_none();
        if let Some(body) = body {
            if keep {
                // The answer is whole: a cancel cuts nothing from here on.
                self.transport.socket.enter(ConnState::Idle);
            }
            let taken_back = body.finish(keep, &self.transport.context).await;
            self.transport.buffer = taken_back.buffer;
            keep &= taken_back.is_whole;
        }
        let mode = match (sent, upgrade) {
            _ if keep => {
                self.begin_idle(response_end);
                return Ok(());
            }
            (Ok(Persistence::Upgrade), Some(hand_over)) => {
                upgrade::upgrade(&mut self.transport, hand_over).await
            }
            (Ok(_), _) => CloseMode::Linger,
            (Err(error), _) => close::cut_response(&mut self.transport, &error, has_body_failed),
        };
        Err(LastRequest { mode, panic })
    }

    /// Closes the connection.
    ///
    /// # Errors
    ///
    /// Those of [`serve`].
    async fn close(mut self: Box<Self>, last: LastRequest) -> Result<(), HandlerPanicked> {
        if last.mode == CloseMode::Linger {
            Box::pin(close::linger(&mut self.transport)).await;
        }
        self.has_ended = true;
        self.panic_result(last.panic)
    }

    /// Returns the handler's panic as an error, if the server's settings make it one.
    fn panic_result(&self, panic: Option<String>) -> Result<(), HandlerPanicked> {
        match panic {
            Some(message) if self.transport.context.settings.panics_fail => {
                Err(HandlerPanicked { message })
            }
            _ => Ok(()),
        }
    }

    /// Gives back the memory that an idle connection has no use for.
    fn rest<F>(&mut self, in_flight: &mut Option<Pin<Box<InFlight<D, F>>>>) {
        *in_flight = None;
        self.transport.rest();
    }

    /// Begins to wait for the next request, of which the buffer may hold a part.
    fn begin_idle(&mut self, since: Instant) {
        self.transport.socket.enter(ConnState::Idle);
        self.transport.expect_request();
        self.heads.begin_idle(since);
    }
}

impl From<CloseMode> for LastRequest {
    fn from(mode: CloseMode) -> Self {
        Self { mode, panic: None }
    }
}

impl<D: Door> Drop for Connection<D> {
    fn drop(&mut self) {
        let transport = &mut self.transport;
        if !self.has_ended {
            let state = transport.socket.state();
            let now = transport.context.time.now();
            transport.context.registry.count_cut(state, now);
            close::cancel(transport, state);
        }
        transport.end_gathered();
        transport.cut_access();
        transport.context.registry.leave(self.key);
    }
}
