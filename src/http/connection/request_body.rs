//! The body of a request, shared by the connection and the handler that reads it.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_lite::future;

use super::body_source::{BodySource, too_late};
use super::patience::LONGEST_LINGER;
use super::transport::Transport;
use crate::executor::panic::catch;
use crate::http::body_handle::{Incoming, OnTrailers};
use crate::http::codec::{Refusal, RequestHead};
use crate::http::context::ServerContext;
use crate::http::socket::{BUFFER_SIZE, ReadBuffer};

/// The most bytes of an unwanted body that are read to save the connection.
const MOST_DISCARDED: u64 = 256 * 1024;

/// The body of a request, shared by the connection and the handler that reads it.
///
/// While the handler may read, only the body reads the socket. After the response the connection takes
/// the socket back, and a reader that is still held returns an error.
pub(super) struct RequestBody {
    source: Mutex<BodySource>,

    /// True once the response is finished and the body was not read to its end: what is left is the
    /// connection's, and a reader that is still held has an error.
    is_detached: AtomicBool,

    /// True if a read of the connection's own task is pending. It changes under the lock of `source`.
    is_awaited: AtomicBool,
}

/// What the connection takes back after the response.
#[derive(Debug)]
pub(super) struct TakenBack {
    /// The bytes that were read behind the body.
    pub(super) buffer: ReadBuffer,
    /// Whether these bytes are the beginning of the next request.
    pub(super) is_whole: bool,
}

impl RequestBody {
    /// Makes the body of a request with this head. It takes the transport's buffer.
    pub(super) fn new(transport: &mut Transport, head: RequestHead) -> Self {
        let source = BodySource::new(
            Arc::clone(&transport.socket),
            std::mem::take(&mut transport.buffer),
            head,
            &transport.context,
        );
        Self {
            source: Mutex::new(source),
            is_detached: AtomicBool::new(false),
            is_awaited: AtomicBool::new(false),
        }
    }

    fn source(&self) -> MutexGuard<'_, BodySource> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the connection is in this task from now on.
    pub(super) fn set_connection(&self, task: &Waker) {
        let reader = self.source().wakers.set_connection(task);
        wake(reader);
    }

    /// Notes that the connection's task is polled. A read that is pending in this task counts only if it
    /// is polled again: the handler may wait for something else now.
    pub(super) fn begin_poll(&self) {
        if self.is_awaited.load(Ordering::Relaxed) {
            self.source().wakers.begin_poll();
            self.is_awaited.store(false, Ordering::Relaxed);
        }
    }

    /// Returns ready when the peer is gone while the handler waits for something else than the body, or
    /// another task has ceased to wait for it.
    ///
    /// What comes of the body meanwhile is kept, as far as the buffer has room. A handler that waits for
    /// the body is woken by the socket, and has an error.
    pub(super) fn poll_gone(
        &self,
        transport: &mut Transport,
        cx: &mut Context<'_>,
        watching: &mut bool,
    ) -> Poll<()> {
        let mut source = self.source();
        if source.is_broken() {
            return Poll::Ready(());
        }
        if source.wakers.is_read() {
            return Poll::Pending;
        }
        if let (true, shared) = source.wakers.begin_watch() {
            transport.watch_anew(shared);
        }
        let polled = source.lend_buffer(transport, |transport| transport.poll_gone(cx, watching));
        let is_full = source.is_full();
        source.wakers.set_paused(is_full);
        polled
    }

    /// Returns true if the body was read to its end.
    pub(super) fn is_whole(&self) -> bool {
        self.source().is_whole()
    }

    /// Returns why the body cannot be read to its end, if that is so.
    pub(super) fn failure(&self) -> Option<Refusal> {
        self.source().failure()
    }

    /// Returns true if the connection must close after the response, whose head is made now: the client
    /// was not asked for the body, the body is broken, or too much of it is left to be discarded.
    pub(super) fn must_close(&self) -> bool {
        let source = self.source();
        source.is_unasked() || source.failure().is_some() || source.known_left() > MOST_DISCARDED
    }

    /// Ends the time in which the client may still be asked for the body: the head of the response is
    /// about to be written. Returns what is left of a question that was written in part.
    pub(super) fn end_continue(&self) -> &'static [u8] {
        self.source().end_continue()
    }

    /// Returns true if all of the body was received, so that no read of it needs the socket.
    pub(super) fn is_received(&self) -> bool {
        self.source().is_received()
    }

    /// Takes the socket back from the handler. With `discard`, what is left of the body is read first,
    /// so that the next request can follow, unless it is too long.
    ///
    /// A client that does not send the rest is not waited for longer than one that lingers; once the
    /// server drains, nor for longer than one that is idle. It was not told of a close, and its next
    /// request may be on the way behind the rest.
    pub(super) async fn finish(&self, discard: bool, context: &ServerContext) -> TakenBack {
        let settings = &context.settings;
        let is_whole = self.detach(settings.linger);
        if discard && !is_whole {
            let draining = context.lifecycle.draining(0).stopped();
            let grace = context.time.sleep(settings.idle_grace.min(LONGEST_LINGER));
            let late = async {
                let limit = context.time.sleep(LONGEST_LINGER);
                let drained = async { (grace.await, drop(draining.await)).0 };
                future::or(limit, drained).await;
            };
            future::or(self.discard(), late).await;
        }
        self.take_back()
    }

    /// Takes the body from the handler, unless it is whole; returns true if it is.
    ///
    /// From here on one reader alone waits for the socket. Two would wake each other for ever, and
    /// what the one reads the other would miss.
    fn detach(&self, timeout: Duration) -> bool {
        let mut source = self.source();
        let is_whole = source.is_whole();
        if !is_whole {
            self.is_detached.store(true, Ordering::Relaxed);
            source.set_timeout(timeout);
        }
        is_whole
    }

    async fn discard(&self) {
        let mut scratch = vec![0; BUFFER_SIZE];
        let mut discarded = 0;
        while discarded <= MOST_DISCARDED {
            match future::poll_fn(|cx| self.source().poll_read(cx, &mut scratch)).await {
                Ok(bytes @ 1..) => discarded += bytes as u64,
                Ok(0) | Err(_) => return,
            }
        }
    }

    /// Takes the socket and the buffer back from the handler. If it waits for what will not come, it is
    /// woken, and has an error.
    pub(super) fn take_back(&self) -> TakenBack {
        let mut source = self.source();
        let taken_back = TakenBack {
            buffer: source.take_back(),
            is_whole: source.is_whole() && source.failure().is_none(),
        };
        let reader = source.wakers.take_reader();
        drop(source);
        wake(reader);
        taken_back
    }
}

impl Incoming for RequestBody {
    fn on_trailers(&self, call: OnTrailers) {
        self.source().on_trailers(call);
    }

    fn poll_read(&self, cx: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut source = self.source();
        if self.is_detached.load(Ordering::Relaxed) {
            return Poll::Ready(Err(too_late()));
        }
        let polled = source.poll_read(cx, out);
        if polled.is_pending() {
            source.wakers.await_more(cx.waker());
        }
        let is_awaited = source.wakers.is_read_by_own_task();
        self.is_awaited.store(is_awaited, Ordering::Relaxed);
        let resumed = match source.is_full() {
            true => None,
            false => source.wakers.resume(cx.waker()),
        };
        drop(source);
        wake(resumed);
        polled
    }
}

/// Wakes a task of the user's, outside of every lock: a waker may run any code, and panic.
fn wake(task: Option<Waker>) {
    if let Some(task) = task {
        let _ = catch(|| task.wake());
    }
}
