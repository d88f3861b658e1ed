//! Several bound sockets, accepted from as one.

use std::io;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_lite::future::poll_fn;

use super::accept_error::AcceptError;
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
                AcceptError::Connection => {}
                AcceptError::Listener => return Err(error),
                AcceptError::Resources => {
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

    /// Gives the connections that the kernel has already accepted to `each`, and closes the listeners.
    ///
    /// A plain close resets the connections that are still in the kernel's queue. To their clients
    /// these are established, and may carry requests. So the close has three steps:
    ///
    /// 1. On Linux, new connections are turned away. Their first segments are ignored; a client
    ///    repeats them, and is refused once the port is closed.
    /// 2. The queue is emptied: at most 4096 connections, for at most 250 ms.
    /// 3. The listener is closed.
    ///
    /// On other systems a connection that arrives between the last two steps is reset.
    ///
    /// Drop the listeners instead if another process also accepts from them.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let listeners = neap::net::Address::from("127.0.0.1:0").bind()?;
    /// let address = listeners.local_addrs()[0].tcp().unwrap();
    /// let _client = std::net::TcpStream::connect(address)?;
    /// let mut queued = Vec::new();
    /// listeners.close(|stream| queued.push(stream));
    /// assert_eq!(queued.len(), 1);
    /// assert!(std::net::TcpStream::connect(address).is_err());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn close(self, mut each: impl FnMut(Stream)) {
        const CAP: usize = 4096;
        let deadline = Instant::now() + Duration::from_millis(250);
        let mut taken = 0;
        for listener in &self.each {
            listener.turn_away();
        }
        for listener in self.each {
            while taken < CAP && Instant::now() < deadline {
                match listener.try_accept() {
                    Ok(stream) => {
                        taken += 1;
                        each(stream);
                    }
                    Err(error) if AcceptError::of(&error) == AcceptError::Connection => {}
                    Err(_) => break,
                }
            }
        }
    }
}
