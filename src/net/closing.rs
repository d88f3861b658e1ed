//! Closing listeners such that no connection is lost.

use std::io;
use std::task::Poll;
use std::time::{Duration, Instant};

use async_io::Timer;
use futures_lite::future::{or, poll_fn, yield_now};

use super::accept_error::AcceptError;
use super::handshakes::{Diagnosis, Handshakes};
use super::listener::{Listener, Refusal};
use super::stream::Stream;
use crate::time::time_source::TimeSource;

/// How long a close waits for handshakes in flight, unless another time is set.
///
/// A client repeats a lost SYN, and a server a lost SYN-ACK, after 1 s (RFC 6298, 2.1).
pub(crate) const HANDSHAKE_GRACE: Duration = Duration::from_millis(1500);

/// The first time after which the kernel is asked again. It doubles up to [`LONGEST_LOOK`].
const FIRST_LOOK: Duration = Duration::from_millis(2);
/// The longest such time.
const LONGEST_LOOK: Duration = Duration::from_millis(100);
/// How long handshakes may take that the kernel does not name: a long round trip.
const BLIND_WAIT: Duration = Duration::from_millis(250);
/// The first pause after descriptors or memory ran out. It doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// The number of connections after which the other tasks of this thread have a turn.
const BATCH: usize = 32;
/// The most connections that are taken from a listener that cannot refuse others.
const CAP: usize = 4096;

/// Refuses new connections, gives those that are there or on their way to `each`, and closes.
///
/// The times of a kernel and of its network are real ones: the clock of a group counts only those of a
/// network in memory.
pub(super) async fn close(
    listeners: Vec<Listener>,
    time: &TimeSource,
    grace: Duration,
    mut each: impl FnMut(Stream) + Send,
) {
    let refusals: Vec<_> = listeners.iter().map(Listener::refuse).collect();
    let mut waiting = Vec::new();
    for (listener, refusal) in listeners.into_iter().zip(refusals) {
        match refusal {
            Refusal::Handshakes => waiting.push(listener),
            Refusal::Counted(count) => {
                accept_for(&[listener], time.sleep(grace), count, &mut each).await;
            }
            Refusal::Connects => drop(accept_all(&[listener], usize::MAX, &mut each).await),
            Refusal::None => drop(accept_all(&[listener], CAP, &mut each).await),
        }
    }
    if !waiting.is_empty() {
        close_after_handshakes(&waiting, grace, &mut each).await;
    }
}

/// Accepts from listeners that refuse new handshakes until no other is in flight.
async fn close_after_handshakes(
    listeners: &[Listener],
    grace: Duration,
    each: &mut (impl FnMut(Stream) + Send),
) {
    let mut outlook = Outlook::default();
    let (mut began, mut pause) = (None, FIRST_LOOK);
    loop {
        let sight = outlook.look(listeners);
        // After the dump: a handshake that ended before it has a connection in the queue by now.
        let taken = accept_all(listeners, usize::MAX, each).await;
        // The grace begins when descriptors have sufficed for all that was in the queue.
        let left = grace.saturating_sub(began.get_or_insert_with(Instant::now).elapsed());
        match sight {
            Sight::Clear => return,
            _ if left.is_zero() => return,
            Sight::Named(count) => {
                let count = count.saturating_sub(taken);
                accept_for(listeners, after(pause.min(left)), count, each).await;
            }
            Sight::Blind => {
                accept_for(listeners, after(BLIND_WAIT.min(left)), usize::MAX, each).await
            }
            Sight::NoDescriptor => after(pause.min(left)).await,
        }
        pause = (pause * 2).min(LONGEST_LOOK);
    }
}

/// Accepts until the queues are empty, and returns how many connections there were. While descriptors or
/// memory are out, it tries again.
async fn accept_all(
    listeners: &[Listener],
    most: usize,
    each: &mut (impl FnMut(Stream) + Send),
) -> usize {
    let (mut taken, mut pause) = (0, FIRST_PAUSE);
    for listener in listeners {
        while taken < most {
            let error = match listener.try_accept() {
                Ok(stream) => {
                    each(stream);
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
                AcceptError::Resources => {
                    log::debug!(target: "neap", event = "accept failed"; "accept failed before the close, next try in {pause:?}: {error}");
                    after(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
    taken
}

/// Waits for a time of the kernel's.
async fn after(time: Duration) {
    Timer::after(time).await;
}

/// Accepts this many connections, until it is too late.
async fn accept_for(
    listeners: &[Listener],
    late: impl Future<Output = ()>,
    count: usize,
    each: &mut (impl FnMut(Stream) + Send),
) {
    let named = async {
        for _ in 0..count {
            each(accept_one(listeners).await);
        }
    };
    or(named, late).await;
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

/// What is known about the handshakes in flight.
enum Sight {
    /// There are none.
    Clear,
    /// There are this many.
    Named(usize),
    /// There may be some, which the kernel does not name.
    Blind,
    /// The kernel cannot be asked before a descriptor comes free.
    NoDescriptor,
}

/// Looks for handshakes in flight, again and again.
#[derive(Default)]
struct Outlook {
    diagnosis: Option<Diagnosis>,
    /// The handshakes that were in flight at the first look and at each since. Others are none of
    /// these listeners', which refuse them: another process may listen at the same port.
    cookies: Option<Vec<u64>>,
    /// True if the blind wait is over.
    blind: bool,
}

impl Outlook {
    fn look(&mut self, listeners: &[Listener]) -> Sight {
        if self.blind {
            return Sight::Clear;
        }
        match self.dump(listeners) {
            Ok(found) => self.narrow(found, listeners),
            Err(error) if AcceptError::of(&error) == AcceptError::Resources => Sight::NoDescriptor,
            Err(error) => {
                log::debug!(target: "neap", event = "handshakes not known"; "the handshakes in flight are not known: {error}");
                self.blindly(listeners)
            }
        }
    }

    /// Asks the kernel.
    fn dump(&mut self, listeners: &[Listener]) -> io::Result<Handshakes> {
        let diagnosis = match &mut self.diagnosis {
            Some(diagnosis) => diagnosis,
            none => none.insert(Diagnosis::open()?),
        };
        let mut found = Handshakes::default();
        for address in listeners.iter().filter_map(|each| each.local().tcp()) {
            diagnosis.look(address, &mut found)?;
        }
        Ok(found)
    }

    /// Keeps the handshakes that were found at every look.
    fn narrow(&mut self, found: Handshakes, listeners: &[Listener]) -> Sight {
        if self.cookies.is_none() && found.overflow {
            // The last ACK of a handshake that is not stored has to find its listener.
            listeners.iter().for_each(Listener::let_acks_in);
            return self.blindly(listeners);
        }
        let mut cookies = found.cookies;
        cookies.sort_unstable();
        if let Some(known) = &self.cookies {
            cookies.retain(|cookie| known.binary_search(cookie).is_ok());
        }
        let count = cookies.len();
        self.cookies = Some(cookies);
        match count {
            0 => Sight::Clear,
            count => Sight::Named(count),
        }
    }

    /// Waits once without knowing. On the loopback interface alone no handshake takes that long.
    fn blindly(&mut self, listeners: &[Listener]) -> Sight {
        self.blind = true;
        let mut addresses = listeners.iter().filter_map(|each| each.local().tcp());
        match addresses.all(|address| address.ip().is_loopback()) {
            true => Sight::Clear,
            false => Sight::Blind,
        }
    }
}
