//! Several bound sockets, accepted from as one.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_lite::future::poll_fn;

use super::accept_error::AcceptError;
use super::closing;
use super::endpoint::Endpoint;
use super::listener::Listener;
use super::stream::Stream;
use crate::time::time_source::TimeSource;

/// The first pause after descriptors or memory ran out. It doubles up to [`LONGEST_PAUSE`].
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// One or several bound sockets, accepted from as one.
///
/// # Examples
///
/// ```
/// use neap::net::Address;
///
/// # futures_lite::future::block_on(async {
/// let mut listeners = Address::from("127.0.0.1:0").bind()?;
/// let address = listeners.local_addrs()[0].tcp().unwrap();
/// let client = std::net::TcpStream::connect(address)?;
/// let accepted = listeners.accept().await?;
/// assert_eq!(accepted.peer_addr().tcp(), Some(client.local_addr()?));
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Listeners {
    each: Vec<Listener>,
    /// The index of the listener to ask first: each has its turn, so that none starves.
    next: usize,
    /// The pause after the last accept; zero unless descriptors or memory ran out.
    pause: Duration,
    /// The clock that the pause goes by.
    time: TimeSource,
}

impl Listeners {
    pub(super) fn new(each: Vec<Listener>) -> Self {
        Self {
            each,
            next: 0,
            pause: Duration::ZERO,
            time: TimeSource::default(),
        }
    }

    /// Sets the clock that pauses go by. It is the real one unless set.
    pub(super) fn go_by(&mut self, time: TimeSource) {
        self.time = time;
    }

    pub(super) fn into_each(self) -> impl Iterator<Item = Listener> {
        self.each.into_iter()
    }

    /// Returns where connections arrive, in the order in which the addresses were given.
    #[must_use]
    pub fn local_addrs(&self) -> Vec<Endpoint> {
        self.each.iter().map(|each| each.local().clone()).collect()
    }

    /// Waits for the next connection.
    ///
    /// A connection that broke before it was accepted is passed over. When descriptors or memory
    /// run out (accept(2)), it tries again after 5 ms, then after twice as long each time, up to 1 s.
    ///
    /// # Errors
    ///
    /// Returns an error if a listener is broken, so that no later accept can succeed.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is ready, it has accepted no connection.
    pub async fn accept(&mut self) -> io::Result<Stream> {
        loop {
            let error = match poll_fn(|cx| self.poll_accept(cx)).await {
                Ok(stream) => {
                    self.pause = Duration::ZERO;
                    return Ok(stream);
                }
                Err(error) => error,
            };
            match AcceptError::of(&error) {
                AcceptError::Connection | AcceptError::Empty => {}
                AcceptError::Listener => return Err(error),
                AcceptError::Resources | AcceptError::Unknown => {
                    self.pause = (self.pause * 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
                    let pause = self.pause;
                    log::warn!(target: "neap", event = "accept failed"; "accept failed, next try in {pause:?}: {error}");
                    self.time.sleep(pause).await;
                }
            }
        }
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        for turn in 0..self.each.len() {
            let index = (self.next + turn) % self.each.len();
            if let Poll::Ready(result) = self.each[index].poll_accept(cx) {
                self.next = index + 1;
                return Poll::Ready(result);
            }
        }
        Poll::Pending
    }

    /// Refuses new connections, gives those that clients have already to `each`, and closes.
    ///
    /// A plain close resets the connections in the kernel's queue, and those whose handshake is in
    /// flight: a client's connect returns half a round trip before this kernel has the connection. To
    /// their clients these are established, and may carry requests. So on Linux the close has three steps:
    ///
    /// 1. New connections are refused at once.
    /// 2. Connections are accepted until the queue is empty and no handshake is in flight: without a
    ///    wait if none is, and otherwise for at most `grace`. 1.5 s suits the internet, as one lost
    ///    segment costs 1 s.
    /// 3. The listener is closed.
    ///
    /// Each connection is given to `each` as it comes. If descriptors run out meanwhile, the close goes
    /// on as they come free, however long that takes.
    ///
    /// # Other ways
    ///
    /// Before Linux 5.7, new connections are ignored until the close, and a client tries again after 1 s.
    /// Where a sandbox forbids sock_diag(7), no one can say which handshakes are in flight, and step 2
    /// lasts 250 ms, unless all addresses are loopback ones. Where there are more handshakes than the
    /// backlog, some are not stored (SYN cookies, RFC 4987), and may be reset.
    ///
    /// macOS, Windows and others cannot refuse connections: what is in the queue is accepted, at most
    /// 4096 connections, and the listener is closed. Connections that arrive in between, and those whose
    /// handshake is in flight, are reset.
    ///
    /// Drop the listeners instead if another process also accepts from them: a refusal holds for all of
    /// them, and cannot be undone.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the listeners are closed at once.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # futures_lite::future::block_on(async {
    /// let listeners = neap::net::Address::from("127.0.0.1:0").bind()?;
    /// let address = listeners.local_addrs()[0].tcp().unwrap();
    /// let _client = std::net::TcpStream::connect(address)?;
    /// let mut queued = Vec::new();
    /// listeners.close(Duration::from_millis(1500), |stream| queued.push(stream)).await;
    /// assert_eq!(queued.len(), 1);
    /// assert!(std::net::TcpStream::connect(address).is_err());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn close(self, grace: Duration, each: impl FnMut(Stream) + Send) {
        closing::close(self.each, &self.time, grace, each).await;
    }
}
