//! A request's body, read by the handler as it comes.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures_lite::{AsyncBufRead, AsyncRead, AsyncWrite, future, ready};
use http_types::trailers;

use super::buffer::{Buffer, SIZE};
use super::clock::{Clock, after};
use super::codec::{ChunkedDecoder, Progress, Refusal, RequestFraming};
use super::wire::Wire;

/// What asks a client to send the body it has announced (RFC 9110, 10.1.1).
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A body on its way in, shared by the connection and by whoever reads it.
///
/// While a handler reads, it alone touches the socket's reading side; when the response is done the
/// connection takes that side back, and a reader that is left over sees an error.
#[derive(Debug)]
pub(super) struct Incoming {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// The socket; `None` once the connection has taken it back.
    wire: Option<Arc<Wire>>,
    buffer: Buffer,
    decoder: Decoder,
    /// What broke the body off.
    failure: Option<Refusal>,
    /// What is left to send of [`CONTINUE`].
    unsent: &'static [u8],
    /// How many bytes may still come.
    allowance: u64,
    timeout: Duration,
    last_byte: Option<Instant>,
    clock: Clock,
    trailers: Option<trailers::Sender>,
}

/// Where in the body we are.
#[derive(Debug)]
enum Decoder {
    Length(u64),
    Chunked(ChunkedDecoder),
    Ended,
}

/// What the connection gets back when the response is done.
#[derive(Debug)]
pub(super) struct Returned {
    /// What was read behind the body.
    pub(super) buffer: Buffer,
    /// Whether the next request starts there.
    pub(super) whole: bool,
}

impl Incoming {
    pub(super) fn new(
        wire: Arc<Wire>,
        buffer: Buffer,
        framing: RequestFraming,
        expects_continue: bool,
        timeout: Duration,
        allowance: u64,
        trailers: Option<trailers::Sender>,
    ) -> Self {
        let decoder = match framing {
            RequestFraming::Empty => Decoder::Ended,
            RequestFraming::Length(length) => Decoder::Length(length),
            RequestFraming::Chunked => Decoder::Chunked(ChunkedDecoder::new()),
        };
        // A client that sends its body unasked has not waited.
        let unsent = if expects_continue && buffer.is_empty() {
            CONTINUE
        } else {
            &[]
        };
        Self {
            inner: Mutex::new(Inner {
                wire: Some(wire),
                buffer,
                decoder,
                failure: None,
                unsent,
                allowance,
                timeout,
                last_byte: None,
                clock: Clock::default(),
                trailers,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all of it has been read.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.lock().decoder, Decoder::Ended)
    }

    /// What broke it off, if something has.
    pub(super) fn failure(&self) -> Option<Refusal> {
        self.lock().failure
    }

    /// Whether so much of it is unread that it is cheaper to close than to read on, or nobody has
    /// asked the client to send it. Asked when the response's head is written: from then on there
    /// is no asking any more.
    pub(super) fn is_given_up(&self) -> bool {
        let mut inner = self.lock();
        let waits = inner.unsent.len() == CONTINUE.len();
        inner.unsent = &[];
        let long = matches!(inner.decoder, Decoder::Length(left) if left > UNREAD);
        waits || long || inner.failure.is_some()
    }

    /// Reads on, to where the next request starts, unless that is too far.
    pub(super) async fn discard(&self) {
        let mut scratch = vec![0; SIZE];
        let mut read = 0;
        while read <= UNREAD {
            match future::poll_fn(|cx| self.lock().poll_read(cx, &mut scratch)).await {
                Ok(bytes @ 1..) => read += bytes as u64,
                Ok(0) | Err(_) => return,
            }
        }
    }

    /// Takes the socket and what was read back from whoever still holds the body.
    pub(super) fn take_back(&self) -> Returned {
        let mut inner = self.lock();
        inner.wire = None;
        Returned {
            buffer: std::mem::take(&mut inner.buffer),
            whole: matches!(inner.decoder, Decoder::Ended) && inner.failure.is_none(),
        }
    }
}

/// How much of a body that no handler wants is read to save the connection, in bytes.
const UNREAD: u64 = 256 * 1024;

impl Inner {
    /// Reads body bytes: 0 at its end.
    fn poll_read(&mut self, cx: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            if let Some(failure) = self.failure {
                return Poll::Ready(Err(failure.into_io()));
            }
            let left = match self.step() {
                Ok(Some(0)) => return Poll::Ready(Ok(0)),
                Ok(left) => left,
                Err(refusal) => {
                    self.failure = Some(refusal);
                    continue;
                }
            };
            if let Some(left) = left {
                // Large reads go past the buffer: nothing is copied twice.
                let direct = self.buffer.is_empty() && out.len() >= SIZE / 4;
                if direct || !self.buffer.is_empty() {
                    let cap = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    let taken = if direct {
                        ready!(self.poll_receive(cx, Some(&mut out[..cap])))?
                    } else {
                        let taken = cap.min(self.buffer.len());
                        out[..taken].copy_from_slice(&self.buffer.filled()[..taken]);
                        self.buffer.consume(taken);
                        taken
                    };
                    match self.take(taken as u64) {
                        Ok(()) => return Poll::Ready(Ok(taken)),
                        Err(refusal) => self.failure = Some(refusal),
                    }
                    continue;
                }
            }
            ready!(self.poll_receive(cx, None))?;
        }
    }

    /// How many body bytes are next: `Some(0)` at the end, `None` if framing is still to come.
    fn step(&mut self) -> Result<Option<u64>, Refusal> {
        loop {
            let chunked = match &mut self.decoder {
                Decoder::Ended => return Ok(Some(0)),
                Decoder::Length(left) => return Ok(Some(*left)),
                Decoder::Chunked(chunked) => chunked,
            };
            match chunked.step(self.buffer.filled())? {
                Progress::Skip(bytes) => self.buffer.consume(bytes),
                Progress::Data(left) if left > self.allowance => {
                    return Err(Refusal::body_too_long());
                }
                Progress::Data(left) => return Ok(Some(left)),
                Progress::More => return Ok(None),
                Progress::End(bytes, trailers) => {
                    self.buffer.consume(bytes);
                    self.decoder = Decoder::Ended;
                    if let (Some(sender), Some(trailers)) = (self.trailers.take(), trailers) {
                        // The channel has room for the one message it ever gets: ready at once.
                        let mut cx = Context::from_waker(Waker::noop());
                        let _ = pin!(sender.send(trailers)).poll(&mut cx);
                    }
                    self.trailers = None;
                }
            }
        }
    }

    /// Counts body bytes that were handed out.
    fn take(&mut self, bytes: u64) -> Result<(), Refusal> {
        self.allowance = self
            .allowance
            .checked_sub(bytes)
            .ok_or(Refusal::body_too_long())?;
        match &mut self.decoder {
            Decoder::Length(left) => {
                *left -= bytes;
                if *left == 0 {
                    self.decoder = Decoder::Ended;
                }
            }
            Decoder::Chunked(chunked) => chunked.took(bytes),
            Decoder::Ended => {}
        }
        Ok(())
    }

    /// Receives bytes into `out`, or into the buffer, within the body's timeout.
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        out: Option<&mut [u8]>,
    ) -> Poll<io::Result<usize>> {
        let Some(wire) = &self.wire else {
            let error = "the response was finished before the request's body was read";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, error)));
        };
        while !self.unsent.is_empty() {
            let sent = ready!(Pin::new(&mut &wire.stream).poll_write(cx, self.unsent))?;
            self.unsent = &self.unsent[sent..];
        }
        let (target, buffered) = match out {
            Some(out) => (out, false),
            None => (self.buffer.space(SIZE), true),
        };
        match Pin::new(&mut &wire.stream).poll_read(cx, target) {
            Poll::Ready(Ok(0)) => {
                self.failure = Some(Refusal::malformed("body ended early"));
                let error = "the peer closed before the request's body was whole";
                Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, error)))
            }
            Poll::Ready(Ok(bytes)) => {
                self.last_byte = None;
                if buffered {
                    self.buffer.read(bytes);
                }
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => {
                self.failure = Some(Refusal::malformed("connection broken"));
                Poll::Ready(Err(error))
            }
            Poll::Pending => self.poll_patience(cx),
        }
    }

    /// Ready, with an error, once the body has been quiet for too long.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let since = *self.last_byte.get_or_insert_with(Instant::now);
        ready!(self.clock.poll(cx, after(since, self.timeout)));
        let failure = Refusal::too_slow("body too slow");
        self.failure = Some(failure);
        Poll::Ready(Err(failure.into_io()))
    }
}

/// The handler's end of a body.
#[derive(Debug)]
pub(super) struct Reader {
    incoming: Arc<Incoming>,
    /// What `fill_buf` has read ahead; empty for those who use `read`.
    ahead: Vec<u8>,
    /// How much of it was consumed.
    consumed: usize,
}

impl Reader {
    pub(super) fn new(incoming: Arc<Incoming>) -> Self {
        Self {
            incoming,
            ahead: Vec::new(),
            consumed: 0,
        }
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let ahead = &self.ahead[self.consumed..];
        if ahead.is_empty() {
            return self.incoming.lock().poll_read(cx, out);
        }
        let taken = ahead.len().min(out.len());
        out[..taken].copy_from_slice(&ahead[..taken]);
        self.consumed += taken;
        Poll::Ready(Ok(taken))
    }
}

impl AsyncBufRead for Reader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.consumed == this.ahead.len() {
            this.ahead.resize(SIZE, 0);
            let read = this.incoming.lock().poll_read(cx, &mut this.ahead);
            this.consumed = 0;
            match read {
                Poll::Ready(Ok(bytes)) => this.ahead.truncate(bytes),
                unread => {
                    this.ahead.clear();
                    ready!(unread)?;
                }
            }
        }
        Poll::Ready(Ok(&this.ahead[this.consumed..]))
    }

    fn consume(mut self: Pin<&mut Self>, bytes: usize) {
        self.consumed = (self.consumed + bytes).min(self.ahead.len());
    }
}
