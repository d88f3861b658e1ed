//! A stream of events, as the body of a response.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use ::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use ::http::{HeaderValue, Response};
use bytes::Bytes;
use futures_lite::{Stream, ready};
use http_body::Frame;

use super::server_event::ServerEvent;
use crate::http::request_ext::RequestExt;
use crate::http::socket::LazyTimer;
use crate::stop::token::Stopped;
use crate::time::time_source::{TimeSource, deadline_from};

/// What is sent to keep a connection from being idle: a comment.
const KEEP_ALIVE: &[u8] = b":\n\n";

/// Sends a stream of events: the response to `request`, which ends at the stop between two events.
///
/// The connection asks the stream for its next event, so there is no task beside it and no second runtime. At the
/// stop the stream is dropped, and the response ends behind the last event: what the client has is whole, and
/// it comes back elsewhere with the id of that event, in `Last-Event-ID`. A client that leaves has the stream dropped too.
///
/// A request that no neap server has made, in a test for example, has no stop.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use axum::{Extension, Router, routing::get};
/// use futures_lite::stream;
/// use neap::http::{self, ServerEvent, RequestContext};
///
/// let app: Router = Router::new().route("/ticks", get(async |Extension(context): Extension<RequestContext>| {
///     let ticks = stream::unfold(0_u32, |count| async move {
///         smol::Timer::after(Duration::from_secs(1)).await;
///         Some((ServerEvent::new(count.to_string()).id(count.to_string()), count + 1))
///     });
///     http::events(&context, ticks).response()
/// }));
/// ```
///
/// With the feature `tide`, it is a response as it stands:
///
/// ```
/// # #[cfg(feature = "tide")] {
/// use futures_lite::stream;
/// use neap::http::{self, ServerEvent};
/// use tide::Request;
///
/// let mut app = tide::new();
/// app.at("/once").get(|request: Request<()>| async move {
///     Ok(http::events(&request, stream::once(ServerEvent::new("hello"))))
/// });
/// # }
/// ```
pub fn events(
    request: &impl RequestExt,
    events: impl Stream<Item = ServerEvent> + Send + 'static,
) -> EventStream {
    let context = request.context();
    let time = context.map(|context| context.arrival.lifecycle.time().clone());
    let time = time.unwrap_or_default();
    EventStream {
        events: Some(Box::pin(events)),
        stopped: request.stop_token().stopped(),
        last: None,
        keep_alive: Duration::from_secs(15),
        sent: time.now(),
        timer: LazyTimer::default(),
        time,
    }
}

/// A stream of events, as a response: what [`events`] makes.
///
/// For axum and other services it is made one by [`response`](EventStream::response); a handler of tide returns
/// it as it stands. The response says that caches are to keep nothing of it, and nginx that it is not to hold it
/// back (`X-Accel-Buffering: no`).
#[must_use = "nothing is sent unless it is the body of a response"]
pub struct EventStream {
    /// `None` once it has ended.
    events: Option<Pin<Box<dyn Stream<Item = ServerEvent> + Send>>>,
    stopped: Stopped,
    last: Option<ServerEvent>,
    keep_alive: Duration,
    /// When the last event was sent.
    sent: Instant,
    timer: LazyTimer,
    time: TimeSource,
}

impl EventStream {
    /// The fields of the response.
    pub(in crate::http) const FIELDS: [(&str, &str); 3] = [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache"),
        ("x-accel-buffering", "no"),
    ];

    /// Sets after how long without an event a comment is sent: proxies close connections that are idle, and a
    /// client that is gone without a word is noticed. **15 s** by default; with zero or `Duration::MAX`
    /// there is none.
    pub fn keep_alive(mut self, idle: Duration) -> Self {
        self.keep_alive = if idle.is_zero() { Duration::MAX } else { idle };
        self
    }

    /// Sets an event that is sent last at the stop: to tell the client, or when it is to come back
    /// ([`ServerEvent::retry`]). **None** by default. One whose stream ends by itself is sent nothing more.
    pub fn last(mut self, event: ServerEvent) -> Self {
        self.last = Some(event);
        self
    }

    /// Makes a response of it: 200, with the fields that it needs.
    pub fn response(self) -> Response<Self> {
        let mut response = Response::new(self);
        let [(_, media_type), (_, caching), (buffering, no)] = Self::FIELDS;
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        fields.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        fields.insert(buffering, HeaderValue::from_static(no));
        response
    }

    /// Returns the bytes of the next event, or of a comment; `None` at the end.
    pub(in crate::http) fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(events) = &mut self.events else {
            return Poll::Ready(None);
        };
        // A stream that is always ready ends too.
        if !self.stopped.is_due() {
            match events.as_mut().poll_next(cx) {
                Poll::Ready(Some(event)) => {
                    self.sent = self.time.now();
                    return Poll::Ready(Some(event.into_bytes()));
                }
                Poll::Ready(None) => {
                    self.events = None;
                    return Poll::Ready(None);
                }
                Poll::Pending => {}
            }
        }
        if Pin::new(&mut self.stopped).poll(cx).is_ready() {
            self.events = None;
            return Poll::Ready(self.last.take().map(ServerEvent::into_bytes));
        }
        if self.keep_alive == Duration::MAX {
            return Poll::Pending;
        }
        let due = deadline_from(self.sent, self.keep_alive);
        ready!(self.timer.poll(cx, &self.time, due));
        self.sent = self.time.now();
        Poll::Ready(Some(Bytes::from_static(KEEP_ALIVE)))
    }
}

impl http_body::Body for EventStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = ready!(self.poll_bytes(cx));
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.events.is_none()
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("keep_alive", &self.keep_alive)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}
