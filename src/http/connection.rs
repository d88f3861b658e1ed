//! One connection, from its first byte to its last.
//!
//! Between two requests a connection is this struct and the small future around it. What is large
//! has a place of its own, which a busy connection keeps, and an idle one gives back.

mod close;
mod luck;
mod next;

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_lite::ready;
use http_types::Response;

use self::luck::Luck;
use self::next::Next;
use super::App;
use super::buffer::Buffer;
use super::clock::Clock;
use super::codec::{HeadParser, Refusal};
use super::exchange::{Exchange, upgrade};
use super::outgoing::{Outgoing, Sent};
use super::phase::Phase;
use super::shared::Shared;
use super::wire::{State, Wire};
use super::work::Work;
use crate::Stopped;
use crate::net::{Addr, Counted, Stream};

/// One connection of a server, counted and in the census for as long as this lives.
///
/// Dropping it before its end is the cancel: see [`Drop`].
pub(super) struct Connection {
    pub(super) wire: Arc<Wire>,
    pub(super) buffer: Buffer,
    pub(super) clock: Clock,
    /// Whether the response on its way ends with the connection: a cut must then show as a reset.
    pub(super) until_close: bool,
    heads: HeadParser,
    /// When the present state was entered: the accept, a head's first byte, a response's end.
    since: Instant,
    /// How far a head that is not whole was searched for its end.
    searched: usize,
    /// Whether a read is worth a try before the socket is known to be readable.
    eager: bool,
    /// Whether to let others go first, and then try a read.
    yielding: bool,
    /// Whether such a read is being tried, and how the last ones went.
    guessing: bool,
    luck: Luck,
    /// Whether it holds what the last request has used.
    warm: bool,
    draining: Stopped,
    /// Whether it has come to an end of its own.
    ended: bool,
    key: usize,
    // The last fields, so that the socket is closed before the count falls.
    pub(super) shared: Arc<Shared>,
    _counted: Counted,
}

/// How a connection is closed.
enum End {
    /// In a way that lets the peer read to the end.
    Linger,
    /// At once: nobody is there to read.
    Close,
}

/// A handler has panicked, on a server where that is the service's failure.
#[derive(Debug)]
pub(super) struct HandlerPanicked(pub(super) String);

impl fmt::Display for HandlerPanicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a handler panicked: {}", self.0)
    }
}

impl std::error::Error for HandlerPanicked {}

/// What a connection goes on with.
enum Begun {
    /// A request, which is in its place.
    Request,
    /// Nothing for now: that place can go.
    Rest,
    /// Something that is answered and closed.
    Refuse(Refusal),
    /// Nothing any more.
    End(End),
}

/// A connection has come to its end.
struct Closed {
    end: End,
    /// What a handler has panicked with.
    panic: Option<String>,
}

impl From<End> for Closed {
    fn from(end: End) -> Self {
        Self { end, panic: None }
    }
}

/// Serves a connection until either side closes it.
///
/// # Errors
///
/// A handler has panicked, and that is to be the service's failure.
pub(super) async fn run<A: App>(
    mut connection: Box<Connection>,
    app: Arc<A>,
) -> Result<(), HandlerPanicked> {
    let mut work = None;
    let answer = |request| app.respond(request);
    let closed = loop {
        // Nothing of the request comes out here: this future is there while the connection is idle.
        match poll_fn(|cx| connection.poll_begin(cx, &mut work)).await {
            Begun::Request => {}
            Begun::Rest => {
                work = None;
                continue;
            }
            Begun::Refuse(refusal) => break connection.refuse(refusal).await.into(),
            Begun::End(end) => break end.into(),
        }
        let Some(work) = &mut work else { continue };
        let sent = poll_fn(|cx| work.as_mut().poll(&mut connection, answer, cx)).await;
        if matches!(sent, Ok(Sent::Keep)) && work.as_mut().end_simply() {
            connection.rest();
            continue;
        }
        // Boxed, so that what is rare takes no room in this future.
        let ended = Box::pin(connection.end_request(work.as_mut(), sent)).await;
        if let Err(closed) = ended {
            break closed;
        }
    };
    drop(work);
    if let End::Linger = closed.end {
        Box::pin(connection.linger()).await;
    }
    connection.ended = true;
    match closed
        .panic
        .filter(|_| connection.shared.options.panics_fail)
    {
        Some(message) => Err(HandlerPanicked(message)),
        None => Ok(()),
    }
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>, stream: Stream, counted: Counted) -> Box<Self> {
        let heads = {
            let (local, peer) = (stream.local_addr(), stream.peer_addr());
            let default_host = local.tcp().is_none().then_some("localhost");
            HeadParser::new(
                local.to_string().into(),
                peer.to_string().into(),
                default_host,
            )
        };
        let wire = Arc::new(Wire::new(stream));
        Box::new(Self {
            key: shared.census.enter(wire.clone()),
            draining: shared.lifecycle.draining().stopped(),
            wire,
            buffer: Buffer::default(),
            clock: Clock::default(),
            until_close: false,
            heads,
            since: Instant::now(),
            searched: 0,
            eager: true,
            yielding: false,
            guessing: false,
            luck: Luck::default(),
            warm: false,
            ended: false,
            shared,
            _counted: counted,
        })
    }

    /// Where it comes from.
    pub(super) fn peer(&self) -> &Addr {
        self.wire.stream.peer_addr()
    }

    /// Waits for the next request, and puts it where the app takes it up.
    fn poll_begin<F: Future<Output = http_types::Result<Response>>>(
        &mut self,
        cx: &mut Context<'_>,
        work: &mut Option<Pin<Box<Work<F>>>>,
    ) -> Poll<Begun> {
        let mut place = None;
        let next = ready!(self.poll_next(cx, &mut place));
        let begun = match (next, &mut place) {
            (Next::Request(head), Some(request)) => Exchange::begin(self, head, request),
            // A head that is whole has put its request there: the first of the two never comes.
            (Next::Request(_), None) | (Next::Rest, _) => return Poll::Ready(Begun::Rest),
            (Next::Refuse(refusal), _) => return Poll::Ready(Begun::Refuse(refusal)),
            (Next::End(end), _) => return Poll::Ready(Begun::End(end)),
        };
        Poll::Ready(match begun {
            Ok(exchange) => {
                let work = work.get_or_insert_with(|| Box::pin(Work::default()));
                work.as_mut().begin(exchange, place);
                Begun::Request
            }
            Err(refusal) => Begun::Refuse(refusal),
        })
    }

    /// Answers what cannot be served.
    fn refuse(&mut self, refusal: Refusal) -> Pin<Box<impl Future<Output = End> + use<'_>>> {
        let mut outgoing = Outgoing::refusal(self, refusal);
        Box::pin(async move {
            // Nothing is read from it: all there is to say is said.
            let mut nothing = Response::new(refusal.status);
            match poll_fn(|cx| outgoing.poll(&mut nothing, self, cx)).await {
                Ok(_) => End::Linger,
                // A peer that does not take it has nothing more to be told.
                Err(_) => End::Close,
            }
        })
    }

    /// What is left to do after a request that is not as usual.
    ///
    /// # Errors
    ///
    /// There is no next request on this connection.
    async fn end_request<F: Future<Output = http_types::Result<Response>>>(
        &mut self,
        work: Pin<&mut Work<F>>,
        sent: io::Result<Sent>,
    ) -> Result<(), Closed> {
        let (Some(mut exchange), response) = work.end() else {
            return Err(End::Close.into());
        };
        let kept = exchange.end(self, matches!(sent, Ok(Sent::Keep))).await;
        let end = match (sent, response) {
            (Ok(Sent::Keep), _) if kept => {
                self.rest();
                return Ok(());
            }
            (Ok(Sent::Upgrade), Some(response)) => {
                upgrade(self, response).await;
                End::Close
            }
            (Ok(_), _) => End::Linger,
            (Err(error), _) => {
                self.cut(&error);
                End::Close
            }
        };
        let panic = exchange.panic;
        Err(Closed { end, panic })
    }

    /// Notes that a response was not sent to its end.
    fn cut(&self, error: &io::Error) {
        log::debug!("response to {} cut: {error}", self.peer());
        if self.until_close {
            // A peer that is gone sees neither.
            let _ = self.wire.stream.reset_on_close();
        }
    }

    /// Goes back to idle, with what the client has sent ahead.
    fn rest(&mut self) {
        self.wire.enter(State::Idle);
        self.since = Instant::now();
        self.searched = 0;
        self.warm = true;
        // When draining, a read at once is the last look. Otherwise it would be in vain: the client
        // has only just been answered.
        let draining = self.is_draining();
        self.yielding = !draining && self.luck.holds();
        self.guessing = self.yielding;
        self.eager = draining || self.yielding;
    }

    fn is_draining(&self) -> bool {
        self.shared.lifecycle.phase() >= Phase::Draining
    }
}
