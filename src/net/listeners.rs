//! Several bound sockets, accepted from as one.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_lite::future::poll_fn;

use super::accept_error::AcceptError;
use super::closing;
use super::endpoint::Endpoint;
use super::handshakes::Diagnosis;
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
    /// What asks the kernel at the close. It is opened in good time: descriptors may be out then.
    diagnosis: Option<Diagnosis>,
}

/// Whether other processes accept from the same sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// They do: they are left the connections in the queues.
    Yes,
    /// They do not, also from sockets that were not bound here.
    No,
    /// They do from sockets that a service manager has passed, and may from others that were not bound here.
    IfAdopted,
}

impl From<bool> for Sharing {
    fn from(shared: bool) -> Self {
        if shared { Self::Yes } else { Self::No }
    }
}

impl Listeners {
    pub(super) fn new(each: Vec<Listener>) -> Self {
        // Where that fails, the close tries again.
        let diagnosis = each.iter().any(Listener::is_of_the_kernel);
        let diagnosis = diagnosis.then(|| Diagnosis::open().ok()).flatten();
        Self {
            each,
            next: 0,
            pause: Duration::ZERO,
            time: TimeSource::default(),
            diagnosis,
        }
    }

    /// Sets the clock that pauses go by. It is the real one unless set.
    pub(super) fn go_by(&mut self, time: TimeSource) {
        self.time = time;
    }

    /// Says that no other process accepts from these sockets, also those that were not bound here.
    pub(super) fn of_this_process(mut self) -> Self {
        let each = self.each.into_iter();
        self.each = each.map(Listener::of_this_process).collect();
        self
    }

    /// Closes those from which others are known to accept: what is in their queues is left to them.
    pub(super) fn leave_to_others(mut self) -> Self {
        self.each.retain(|each| !each.is_of_others());
        self
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
    /// on as they come free, however long that takes; it ends if the queue is empty. If it is dropped
    /// meanwhile, the log has a record `connections not accepted` at the level WARN.
    ///
    /// # A queue that was full
    ///
    /// While the queue of connections is full, as nothing was accepted for a time, the kernel drops the
    /// last segment of a handshake and the request behind it (listen(2)). Its client has a connection; the
    /// kernel sends its part of the handshake again after 1, 2, 4, 8 s and so on. If the queue was full within the last
    /// minute, the close waits for each handshake in flight until then, and for `grace` from then on. A
    /// client that has gone is waited for too, as it looks the same: bound the future by a deadline.
    ///
    /// # Sockets that were bound elsewhere
    ///
    /// A refusal holds for all processes that have the socket, and cannot be undone: a service manager that
    /// holds it (sd_listen_fds(3)) could never start the service again. So a `TcpListener` or a `UnixListener` that was
    /// made an [`Address`](super::Address) refuses nothing. Connections are accepted until the queue is empty and no
    /// handshake at all is in flight, for at most `grace`. If nobody else has the socket, those that arrive
    /// in the last moment are reset; what a service manager holds, it keeps. The servers of this crate have
    /// a setting for it: [`net::Server::listener_shared`](super::Server::listener_shared). They leave the queue of
    /// a socket that systemd has passed to the next process.
    ///
    /// Drop the listeners instead if another process accepts from them meanwhile.
    ///
    /// # Other ways
    ///
    /// Before Linux 5.7, new connections are ignored until the close, and a client tries again after 1 s. A
    /// socket that is bound to an interface, as `[fe80::1%2]:80` is, is closed like one that was bound
    /// elsewhere, unless the process has `CAP_NET_RAW` or `CAP_NET_ADMIN`.
    ///
    /// The kernel is asked for handshakes by sock_diag(7), with a descriptor that is opened at the bind, and
    /// given up where no other is free. Where a sandbox forbids it, no one can say which are in flight, and step 2
    /// lasts 250 ms, unless all addresses are loopback ones. Where there are more handshakes than the
    /// backlog, some are not stored (SYN cookies, RFC 4987): step 2 lasts 250 ms at least, and those that
    /// take longer are reset, or all of them if the process has not both of these capabilities.
    ///
    /// macOS, Windows and others cannot refuse connections: what is in the queue is accepted, at most
    /// 4096 connections, and the listener is closed. Connections that arrive in between, and those whose
    /// handshake is in flight, are reset.
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
        closing::close(self.each, self.diagnosis, &self.time, grace, each).await;
    }

    /// Refuses new connections, gives those in the queues to `each`, and closes, without any wait. Sockets
    /// that other processes may accept from are left as they are.
    #[cfg(feature = "http")]
    pub(crate) fn close_now(self, sharing: Sharing, mut each: impl FnMut(Stream)) {
        let listeners = match sharing {
            Sharing::Yes => return,
            Sharing::No => self.of_this_process(),
            Sharing::IfAdopted => self,
        };
        for listener in listeners.into_each().filter(Listener::is_of_this_process) {
            listener.refuse();
            while let Ok(stream) = listener.try_accept() {
                each(stream);
            }
        }
    }
}
