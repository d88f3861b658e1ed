//! Accepting what is in the queues of listeners that are to be closed.

use std::io;
use std::mem;
use std::task::Poll;
use std::time::Duration;

use async_io::Timer;
use futures_lite::future::{or, poll_fn, yield_now};

use super::accept_error::AcceptError;
use super::handshakes::Diagnosis;
use super::listener::Listener;
use super::stream::Stream;

/// The first pause after descriptors or memory ran out. It doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// The number of connections after which the other tasks of this thread have a turn.
const BATCH: usize = 32;

/// Accepts connections, and hands each on.
pub(super) struct Intake<F> {
    /// What asks the kernel. It was opened in good time, and is given up where nothing else can give an
    /// accept its descriptor.
    pub(super) diagnosis: Option<Diagnosis>,
    each: F,
}

impl<F: FnMut(Stream) + Send> Intake<F> {
    pub(super) fn new(diagnosis: Option<Diagnosis>, each: F) -> Self {
        Self { diagnosis, each }
    }

    /// Accepts until the queue of a listener is empty, or it has accepted the most it may. Returns how many
    /// connections there were. While descriptors or memory are out, it tries again.
    pub(super) async fn accept_all(&mut self, listener: &Listener, most: usize) -> usize {
        let (mut taken, mut pause) = (0, FIRST_PAUSE);
        while taken < most {
            let error = match listener.try_accept() {
                Ok(stream) => {
                    (self.each)(stream);
                    (taken, pause) = (taken + 1, FIRST_PAUSE);
                    if taken % BATCH == 0 {
                        yield_now().await;
                    }
                    continue;
                }
                Err(error) => error,
            };
            match AcceptError::of(&error) {
                AcceptError::Connection => {}
                AcceptError::Empty | AcceptError::Listener | AcceptError::Unknown => break,
                AcceptError::Resources if self.is_empty(listener) => break,
                AcceptError::Resources if self.diagnosis.take().is_some() => {}
                AcceptError::Resources => {
                    log::debug!(target: "neap", event = "accept failed"; "accept failed before the close, next try in {pause:?}: {error}");
                    let left = LeftInQueue(&error);
                    Timer::after(pause).await;
                    mem::forget(left);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        taken
    }

    /// Returns true if the kernel says that nobody is in the queue: an accept without a descriptor for
    /// the connection fails before it looks.
    fn is_empty(&mut self, listener: &Listener) -> bool {
        let queue = listener.queue(&mut self.diagnosis);
        queue.is_ok_and(|queue| queue.length == 0)
    }

    /// Accepts this many connections, until it is too late.
    pub(super) async fn accept_for(
        &mut self,
        listeners: &[Listener],
        late: impl Future<Output = ()>,
        count: usize,
    ) {
        let named = async {
            for _ in 0..count {
                (self.each)(accept_one(listeners).await);
            }
        };
        or(named, late).await;
    }
}

/// Says, if it is dropped, that the close was cut while connections may have been in the queue.
struct LeftInQueue<'e>(&'e io::Error);

impl Drop for LeftInQueue<'_> {
    fn drop(&mut self) {
        log::warn!(target: "neap", event = "connections not accepted"; "connections were not accepted before the end of the close: {}", self.0);
    }
}

/// Waits for a connection. While a listener has errors, it waits for the others alone.
async fn accept_one(listeners: &[Listener]) -> Stream {
    poll_fn(|cx| {
        for listener in listeners {
            loop {
                match listener.poll_accept(cx) {
                    Poll::Ready(Ok(stream)) => return Poll::Ready(stream),
                    Poll::Ready(Err(error))
                        if AcceptError::of(&error) == AcceptError::Connection => {}
                    Poll::Ready(Err(_)) | Poll::Pending => break,
                }
            }
        }
        Poll::Pending
    })
    .await
}
