//! The app of a round: each request names its handler by its number.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_executor::Executor;
use bytes::Bytes;
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, future, ready};
use http::{Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use neap::StopToken;
use neap::http::{App, Body, RequestContext, from_fn};
use neap::test::{Clock, Sleep};

use crate::PLANNED;
use crate::plan::{Breach, Handler, Out, Request};
use crate::wire::made;

/// What the handlers of a server have done.
#[derive(Debug, Default)]
pub struct Ledger {
    pub running: AtomicUsize,
    /// The most that have run at once.
    pub most: AtomicUsize,
    /// The number of each request that a handler was called for.
    pub called: Mutex<Vec<usize>>,
    pub longest: Mutex<Duration>,
    /// How many tasks wait for the stop token of their request.
    pub waiting: AtomicUsize,
}

impl Ledger {
    pub fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }
}

/// A handler at work.
pub struct Work {
    ledger: Arc<Ledger>,
    clock: Clock,
    begin: Instant,
}

impl Work {
    pub fn begin(ledger: &Arc<Ledger>, clock: &Clock, number: usize) -> Work {
        let running = ledger.running.fetch_add(1, Ordering::Relaxed) + 1;
        ledger.most.fetch_max(running, Ordering::Relaxed);
        ledger.called.lock().unwrap().push(number);
        Work {
            ledger: Arc::clone(ledger),
            clock: clock.clone(),
            begin: clock.now(),
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.ledger.running.fetch_sub(1, Ordering::Relaxed);
        let mut longest = self.ledger.longest.lock().unwrap();
        *longest = (*longest).max(self.clock.now() - self.begin);
    }
}

/// What the handlers of a server share.
#[derive(Clone)]
pub struct Shared {
    pub requests: Arc<Vec<Request>>,
    pub ledger: Arc<Ledger>,
    pub clock: Clock,
    /// Runs what handlers leave behind.
    pub executor: Arc<Executor<'static>>,
}

pub fn app(shared: Shared) -> impl App + 'static {
    from_fn(move |request: http::Request<Body>| {
        let shared = shared.clone();
        let number: usize = request.uri().path()[1..].parse().unwrap();
        let work = Work::begin(&shared.ledger, &shared.clock, number);
        async move {
            let _work = work;
            handle(handler_of(&shared, number), request, &shared).await
        }
    })
}

pub fn handler_of(shared: &Shared, number: usize) -> Handler {
    let request = shared.requests.get(number);
    request.map_or(Handler::PROBE, |request| request.handler)
}

pub async fn pause(handler: Handler, shared: &Shared) {
    if handler.wait > 0 {
        let wait = Duration::from_millis(handler.wait);
        shared.clock.sleep(wait).await;
    }
}

async fn handle(handler: Handler, request: http::Request<Body>, shared: &Shared) -> Response<Made> {
    let context = request.extensions().get::<RequestContext>().unwrap();
    let context = context.clone();
    pause(handler, shared).await;
    let (parts, body) = request.into_parts();
    if handler.reads {
        let _ = body.collect().await;
    }
    let (status, body) = Made::of(handler, &context, shared);
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    if let Out::Upgrade(bytes) = handler.out {
        if let Some(upgrade) = context.upgrade() {
            let token = context.stop_token();
            shared.executor.spawn(echo(bytes, upgrade, token)).detach();
        }
        let fields = response.headers_mut();
        fields.insert("upgrade", "echo".parse().unwrap());
        fields.insert("connection", "upgrade".parse().unwrap());
    }
    drop(parts);
    response
}

/// Sends bytes back until there were so many. Where that is an odd number, it ends at the stop.
pub async fn echo<S: AsyncRead + AsyncWrite + Unpin>(
    bytes: usize,
    upgrade: impl Future<Output = Option<S>>,
    token: StopToken,
) {
    let Some(mut stream) = upgrade.await else {
        return;
    };
    let echo = async {
        let (mut left, mut part) = (bytes, [0; 64]);
        while left > 0 {
            let Ok(length @ 1..) = stream.read(&mut part).await else {
                return;
            };
            if stream.write_all(&part[..length]).await.is_err() {
                return;
            }
            left = left.saturating_sub(length);
        }
    };
    let stopped = async {
        match bytes % 2 {
            0 => future::pending().await,
            _ => drop(token.stopped().await),
        }
    };
    future::or(echo, stopped).await;
}

/// The body of a response.
pub struct Made {
    /// How many parts are to come, each of how many bytes.
    left: usize,
    part: usize,
    /// How many bytes have come.
    made: usize,
    apart: Duration,
    then: Then,
    clock: Clock,
    sleep: Option<Sleep>,
    pub length: Option<u64>,
    /// What ends it before.
    stopped: Option<Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>>,
}

impl Made {
    /// Returns the status and the body of an answer.
    pub fn of(handler: Handler, context: &RequestContext, shared: &Shared) -> (u16, Made) {
        let out = handler.out;
        let (status, left, apart, then) = match out {
            Out::Length(status, _) => (status, 1, 0, Then::End),
            Out::Parts(parts, apart, _) => (200, parts, apart, Then::End),
            Out::Breaks(parts, apart, breach) => (200, parts, apart, breach.into()),
            Out::Panic => std::panic::panic_any(PLANNED),
            Out::Upgrade(_) => (101, 0, 0, Then::End),
            Out::UntilStop(apart) => (200, usize::MAX, apart, Then::End),
        };
        let mut made = Made {
            left,
            part: handler.part,
            made: 0,
            apart: Duration::from_millis(apart),
            then,
            clock: shared.clock.clone(),
            sleep: None,
            length: None,
            stopped: None,
        };
        match out {
            Out::Length(_, length) => {
                (made.part, made.length) = (length, Some(length as u64));
            }
            Out::Parts(parts, _, true) => {
                made.length = Some((parts * handler.part) as u64);
                made.left += usize::from(handler.has_more);
            }
            Out::Breaks(parts, ..) if handler.claims => {
                made.length = Some((parts * handler.part + 7) as u64);
            }
            Out::UntilStop(_) => made.end_at_stop(context, shared),
            _ => {}
        }
        (status, made)
    }

    /// Has it end at the stop, and a task wait for that too.
    fn end_at_stop(&mut self, context: &RequestContext, shared: &Shared) {
        let (token, ledger) = (context.stop_token(), Arc::clone(&shared.ledger));
        ledger.waiting.fetch_add(1, Ordering::Relaxed);
        let wait = async move {
            token.stopped().await;
            ledger.waiting.fetch_sub(1, Ordering::Relaxed);
        };
        shared.executor.spawn(wait).detach();
        let token = context.stop_token();
        self.stopped = Some(Mutex::new(Box::pin(async move {
            token.stopped().await;
        })));
    }
}

enum Then {
    End,
    Fail,
    Panic,
}

impl From<Breach> for Then {
    fn from(breach: Breach) -> Self {
        match breach {
            Breach::Fails => Self::Fail,
            Breach::Panics => Self::Panic,
            Breach::Ends => Self::End,
        }
    }
}

impl http_body::Body for Made {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(stopped) = &mut self.stopped {
            if stopped.get_mut().unwrap().as_mut().poll(cx).is_ready() {
                self.left = 0;
                self.stopped = None;
            }
        }
        if self.left == 0 || self.length == Some(0) {
            return match self.then {
                Then::End => Poll::Ready(None),
                Then::Fail => Poll::Ready(Some(Err(io::Error::other(PLANNED)))),
                Then::Panic => std::panic::panic_any(PLANNED),
            };
        }
        if !self.apart.is_zero() {
            let sleep = self.clock.sleep(self.apart);
            let sleep = self.sleep.get_or_insert(sleep);
            ready!(Pin::new(sleep).poll(cx));
            self.sleep = None;
        }
        self.left -= 1;
        let bytes = made(self.made, self.part);
        self.made += self.part;
        Poll::Ready(Some(Ok(Frame::data(bytes.into()))))
    }

    fn size_hint(&self) -> SizeHint {
        self.length
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Handler {
    /// The handler of a request that is in no plan: it looks for a permit.
    const PROBE: Handler = Handler {
        wait: 5,
        reads: false,
        out: Out::Length(200, 0),
        part: 0,
        claims: false,
        has_more: false,
        is_buffered: false,
    };
}
