//! One run of a server on a network in memory: what its clients do, and what they see.

#![allow(dead_code)]

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use neap::http::{App, Server};
use neap::net::Stream;
use neap::test::{Clock, Network};
use neap::{Group, Handle};

use super::answers::Ended;

const PORT: u16 = 80;
/// How long a group may go on after its stop, and after its cancel: the defaults, and some slack.
const DRAIN: Duration = Duration::from_millis(10_600);
const DEADLINE: Duration = Duration::from_secs(10);
const CANCEL: Duration = Duration::from_millis(600);
/// How long a server waits for a byte of a body: the default.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a run may take by its clock. What takes longer waits for something that does not come.
const LONGEST: Duration = Duration::from_secs(2000);

/// What one client does.
#[derive(Clone)]
pub struct Client {
    /// What it sends.
    pub bytes: Vec<u8>,
    /// How many bytes it sends at once, again and again from the first.
    pub sizes: Vec<usize>,
    /// How long it waits before each time, again and again from the first.
    pub pauses: Vec<Duration>,
    /// Whether it reads nothing before it has sent all.
    pub is_deaf: bool,
    pub end: End,
    /// Where its requests begin, if that is known: none is begun on a closed connection.
    pub starts: Vec<usize>,
}

/// What a client does when it has sent all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It waits until the server closes.
    Await,
    /// It closes its own side, and waits until the server closes.
    Finish,
    Reset,
    Close,
}

/// What happens to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    None,
    Stop,
    Cancel,
}

/// What happens in a run.
#[derive(Debug, Clone)]
pub struct Plan {
    pub clients: Vec<Client>,
    /// How many bytes a direction of a connection holds.
    pub window: usize,
    pub blow: Blow,
    /// At which operation of the network the blow comes.
    pub at: usize,
}

/// What a client has seen.
#[derive(Debug)]
pub struct Seen {
    /// What it has read.
    pub bytes: Vec<u8>,
    /// How many bytes it has sent.
    pub sent: usize,
    pub ended: Ended,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("sizes", &self.sizes)
            .field("pauses", &self.pauses)
            .field("is_deaf", &self.is_deaf)
            .field("end", &self.end)
            .field("bytes", &self.bytes.escape_ascii().to_string())
            .finish()
    }
}

impl Client {
    /// Makes a client that sends all at once, and waits until the server closes.
    pub fn whole(bytes: impl Into<Vec<u8>>) -> Client {
        Client {
            bytes: bytes.into(),
            sizes: Vec::new(),
            pauses: Vec::new(),
            is_deaf: false,
            end: End::Await,
            starts: Vec::new(),
        }
    }

    /// Returns true if the client pauses for longer than a server waits amid a body.
    pub fn is_too_slow(&self) -> bool {
        self.pauses.iter().any(|pause| *pause > BODY_TIMEOUT)
    }

    async fn converse(&self, stream: Stream, clock: &Clock) -> Seen {
        let mut seen = Seen {
            bytes: Vec::new(),
            sent: 0,
            ended: Ended::Left,
        };
        let mut turn = 0;
        while seen.sent < self.bytes.len() && seen.ended == Ended::Left {
            let pause = self.nth(&self.pauses, turn, Duration::ZERO);
            match pause.is_zero() {
                true => future::yield_now().await,
                false => future::or(clock.sleep(pause), self.listen(&stream, &mut seen)).await,
            }
            let size = self.nth(&self.sizes, turn, self.bytes.len()).max(1);
            let until = (seen.sent + size).min(self.bytes.len());
            self.send(&stream, until, &mut seen).await;
            turn += 1;
        }
        match self.end {
            End::Await => {}
            End::Finish => drop(stream.shutdown(Shutdown::Write)),
            End::Reset => {
                drop(stream.reset_on_close());
                return seen;
            }
            End::Close => return seen,
        }
        while seen.ended == Ended::Left {
            let mut buffer = [0; 4096];
            let read = (&stream).read(&mut buffer).await;
            seen.note(read, &buffer);
        }
        seen
    }

    /// Reads for ever, if the client is not deaf.
    async fn listen(&self, stream: &Stream, seen: &mut Seen) {
        let mut buffer = [0; 4096];
        let mut reader = stream;
        while !self.is_deaf && seen.ended == Ended::Left {
            let read = reader.read(&mut buffer).await;
            seen.note(read, &buffer);
        }
        std::future::pending().await
    }

    fn nth<T: Copy>(&self, all: &[T], turn: usize, default: T) -> T {
        match all.len() {
            0 => default,
            length => all[turn % length],
        }
    }

    /// Sends the bytes up to an index, and reads meanwhile.
    async fn send(&self, stream: &Stream, until: usize, seen: &mut Seen) {
        let mut buffer = [0; 4096];
        while seen.sent < until {
            while !self.is_deaf && seen.ended == Ended::Left {
                match stream.try_read(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    read => seen.note(read, &buffer),
                }
            }
            // What the server has closed well takes bytes still: those of a request that is begun.
            let is_start = self.starts.is_empty() || self.starts.contains(&seen.sent);
            if seen.ended == Ended::Reset || seen.ended == Ended::Well && is_start {
                return;
            }
            let goes_on = seen.ended == Ended::Left && !self.is_deaf;
            // No byte of the next request with those of this one: the server may have closed.
            let next = self.starts.iter().find(|start| **start > seen.sent);
            let until = match seen.ended {
                Ended::Well => until.min(next.copied().unwrap_or(until)),
                Ended::Left | Ended::Reset => until,
            };
            let (mut reader, mut writer) = (stream, stream);
            let write = async { Ok(writer.write(&self.bytes[seen.sent..until]).await) };
            let read = async {
                match goes_on {
                    true => Err(reader.read(&mut buffer).await),
                    false => std::future::pending().await,
                }
            };
            match future::or(write, read).await {
                Ok(Ok(bytes)) => seen.sent += bytes,
                // What has come of the answers is read.
                Ok(Err(_)) => return seen.read_rest(stream),
                Err(read) => seen.note(read, &buffer),
            }
        }
    }
}

impl Seen {
    fn note(&mut self, read: io::Result<usize>, buffer: &[u8]) {
        match read {
            Ok(0) => self.ended = Ended::Well,
            Ok(bytes) => self.bytes.extend_from_slice(&buffer[..bytes]),
            Err(_) => self.ended = Ended::Reset,
        }
    }

    /// Reads what has come. A reset behind the end of the stream takes nothing from the client.
    fn read_rest(&mut self, stream: &Stream) {
        let mut buffer = [0; 4096];
        while self.ended == Ended::Left {
            let read = stream.try_read(&mut buffer);
            self.note(read, &buffer);
        }
    }
}

/// Counts the operations of the network, and strikes at one of them.
#[derive(Clone)]
struct Moments(Arc<State>);

struct State {
    clock: Clock,
    handle: Handle<'static>,
    blow: Blow,
    at: usize,
    past: AtomicUsize,
    struck: OnceLock<Instant>,
}

impl Moments {
    fn pass(&self) {
        let state = &self.0;
        if state.blow == Blow::None || state.past.fetch_add(1, Ordering::Relaxed) != state.at {
            return;
        }
        let _ = state.struck.set(state.clock.now());
        match state.blow {
            Blow::Cancel => state.handle.cancel(),
            Blow::Stop | Blow::None => drop(state.handle.stop()),
        }
    }
}

/// What has come of a run.
pub struct Ran {
    /// What each client has seen; `None` for one that was refused.
    pub seen: Vec<Option<Seen>>,
    /// Whether the server was cancelled, by the blow or at the deadline.
    pub is_cancelled: bool,
}

/// Runs a server and its clients.
///
/// # Errors
///
/// The server has not ended in time, or has left something behind.
pub fn run<A: App + 'static>(
    plan: &Plan,
    make: impl FnOnce(&Clock) -> A,
    set: impl FnOnce(Server<A>) -> Server<A>,
) -> Result<Ran, String> {
    let (clock, network) = (Clock::new(), Network::with_capacity(plan.window));
    let mut group = Group::new().clock(&clock);
    let server = set(Server::new(make(&clock), network.listen(PORT)));
    group.add("http", server.into_service());
    let handle = group.handle();
    let moments = Moments(Arc::new(State {
        clock: clock.clone(),
        handle: handle.clone(),
        blow: plan.blow,
        at: plan.at,
        past: AtomicUsize::new(0),
        struck: OnceLock::new(),
    }));
    let observer = moments.clone();
    neap::http::fuzz::observe(&network, move || observer.pass());
    let clients = plan.clients.iter().map(|client| {
        let (network, clock) = (&network, &clock);
        let client: Pin<Box<dyn Future<Output = Option<Seen>>>> = Box::pin(async move {
            let stream = network.connect(PORT).await.ok()?;
            Some(client.converse(stream, clock).await)
        });
        client
    });
    let clients = all(clients.collect());
    let clients = async { (clients.await, handle.stop()).0 };
    let group = async { (group.run().await.map(drop), clock.now()) };
    let both = async { Some(future::zip(group, clients).await) };
    let limit = clock.sleep(LONGEST);
    let limit = async { (limit.await, None).1 };
    let Some(((result, end), seen)) = clock.block_on(future::or(both, limit)) else {
        return Err("all wait for something that does not come".into());
    };
    let struck = moments.0.struck.get();
    let took = struck.map_or(Duration::ZERO, |struck| end - *struck);
    let (limit, may_fail) = match plan.blow {
        Blow::Cancel => (CANCEL, true),
        Blow::Stop | Blow::None => (DRAIN, !plan.is_prompt()),
    };
    if took > limit {
        return Err(format!("the server has ended after {took:?}"));
    }
    if let (Err(error), false) = (result, may_fail) {
        return Err(format!("the server has failed: {error}"));
    }
    match network.open_ends() {
        0 => Ok(Ran {
            seen,
            is_cancelled: plan.blow == Blow::Cancel || took >= DEADLINE,
        }),
        open => Err(format!("{open} ends are open")),
    }
}

impl Plan {
    /// Returns true if no client lets the server wait for long.
    pub fn is_prompt(&self) -> bool {
        let long = Duration::from_millis(1);
        let waits = |client: &Client| client.pauses.iter().any(|pause| *pause > long);
        !self
            .clients
            .iter()
            .any(|client| client.is_deaf || waits(client))
    }
}

/// Waits for all of these.
async fn all<T>(mut futures: Vec<Pin<Box<dyn Future<Output = T> + '_>>>) -> Vec<T> {
    let mut outputs: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    poll_fn(|cx| {
        let mut is_ready = true;
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none() {
                match future.as_mut().poll(cx) {
                    Poll::Ready(ready) => *output = Some(ready),
                    Poll::Pending => is_ready = false,
                }
            }
        }
        if is_ready {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
}
