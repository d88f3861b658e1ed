//! Bound listeners: accepting, and closing without losing anyone.

use std::io;
use std::net::{SocketAddr, TcpListener};
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_io::{Async, Timer};
use futures_lite::future::poll_fn;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::{Addr, Stream};

/// The first pause after descriptors or memory ran out; doubled up to [`LONGEST_PAUSE`].
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// One or several bound listeners, accepted from as one.
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
    /// Which listener is asked first: each in turn, so that none starves.
    next: usize,
    /// The pause after the last accept, if it failed for want of resources.
    pause: Duration,
}

impl Listeners {
    pub(super) fn new(each: Vec<Listener>) -> Self {
        Self {
            each,
            next: 0,
            pause: Duration::ZERO,
        }
    }

    pub(super) fn into_each(self) -> impl Iterator<Item = Listener> {
        self.each.into_iter()
    }

    /// Where connections arrive, in the order the addresses were given.
    ///
    /// # Examples
    ///
    /// ```
    /// let listeners = neap::net::Address::from("127.0.0.1:0").bind()?;
    /// println!("listening on {}", listeners.local_addrs()[0]);
    /// # std::io::Result::Ok(())
    /// ```
    #[must_use]
    pub fn local_addrs(&self) -> Vec<Addr> {
        self.each.iter().map(|each| each.local.clone()).collect()
    }

    /// Waits for the next connection.
    ///
    /// A connection that broke before it was accepted is passed over. When descriptors or memory
    /// run out it waits 5 ms, then twice as long each time up to 1 s, and goes on (accept(2)).
    ///
    /// # Errors
    ///
    /// The listener itself is broken: no later accept can succeed.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has accepted no connection.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(mut listeners: neap::net::Listeners) -> std::io::Result<()> {
    /// loop {
    ///     let stream = listeners.accept().await?;
    ///     println!("{} has come", stream.peer_addr());
    /// }
    /// # }
    /// ```
    pub async fn accept(&mut self) -> io::Result<Stream> {
        loop {
            let error = match poll_fn(|cx| self.poll_accept(cx)).await {
                Ok(stream) => {
                    self.pause = Duration::ZERO;
                    return Ok(stream);
                }
                Err(error) => error,
            };
            match Failure::of(&error) {
                Failure::Connection => {}
                Failure::Listener => return Err(error),
                Failure::Resources => {
                    self.pause = (self.pause * 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
                    log::warn!("accept failed, next try in {:?}: {error}", self.pause);
                    Timer::after(self.pause).await;
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

    /// Closes the listeners, having handed every connection that the kernel had accepted to `each`.
    ///
    /// A plain close resets the connections that are still in the kernel's queue, though their
    /// clients hold them for established and may have sent requests. So, on Linux, new ones are
    /// turned away first (their first segments are ignored until the port is closed, when a repeated
    /// one is refused), then the queue is emptied, at most 4096 connections or 250 ms of it, then
    /// the listener is closed. Elsewhere a connection that arrives between the last two steps is reset.
    ///
    /// A listener that another process also accepts from should rather be dropped.
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
                    Err(error) if Failure::of(&error) == Failure::Connection => {}
                    Err(_) => break,
                }
            }
        }
    }
}

/// One listener and its place.
#[derive(Debug)]
pub(super) struct Listener {
    socket: Kind,
    local: Addr,
    /// The file to remove at the end: of a socket that was bound here.
    #[cfg(unix)]
    file: Option<PathBuf>,
}

#[derive(Debug)]
enum Kind {
    Tcp(Async<TcpListener>),
    #[cfg(unix)]
    Unix(Async<UnixListener>),
}

impl Listener {
    /// Binds an IP address. The port of a server that has just ended can be taken again at once.
    pub(super) fn tcp(address: SocketAddr, backlog: i32) -> io::Result<Self> {
        let domain = Domain::for_address(address);
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        #[cfg(not(windows))]
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(backlog)?;
        Self::from_tcp(socket.into())
    }

    pub(super) fn from_tcp(listener: TcpListener) -> io::Result<Self> {
        // Accepted sockets inherit it where `INHERITS` says so: one call for all of them.
        SockRef::from(&listener).set_tcp_nodelay(true)?;
        Ok(Self {
            local: Addr::Tcp(listener.local_addr()?),
            socket: Kind::Tcp(Async::new(listener)?),
            #[cfg(unix)]
            file: None,
        })
    }

    /// Binds a path. A file nobody listens on any more is replaced.
    #[cfg(unix)]
    pub(super) fn unix(path: PathBuf, backlog: i32) -> io::Result<Self> {
        let bind = || {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.bind(&socket2::SockAddr::unix(&path)?)?;
            socket.listen(backlog)?;
            io::Result::Ok(socket)
        };
        let socket = match bind() {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_stale(&path) => {
                std::fs::remove_file(&path)?;
                bind()?
            }
            result => result?,
        };
        let mut listener = Self::from_unix(socket.into())?;
        listener.file = Some(path);
        Ok(listener)
    }

    #[cfg(not(unix))]
    pub(super) fn unix(_: PathBuf, _: i32) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[cfg(unix)]
    pub(super) fn from_unix(listener: UnixListener) -> io::Result<Self> {
        let path = listener.local_addr()?.as_pathname().map(PathBuf::from);
        Ok(Self {
            local: Addr::Unix(path),
            socket: Kind::Unix(Async::new(listener)?),
            file: None,
        })
    }

    /// Accepts what is there, without waiting.
    fn try_accept(&self) -> io::Result<Stream> {
        match &self.socket {
            Kind::Tcp(socket) => {
                let (stream, peer) = socket.get_ref().accept()?;
                if !INHERITS {
                    stream.set_nodelay(true)?;
                }
                // What is bound to one address needs not ask where a connection arrived.
                let local = match &self.local {
                    Addr::Tcp(local) if local.ip().is_unspecified() => {
                        Addr::Tcp(stream.local_addr()?)
                    }
                    local => local.clone(),
                };
                Stream::tcp(stream, local, Addr::Tcp(peer))
            }
            #[cfg(unix)]
            Kind::Unix(socket) => {
                let (stream, peer) = socket.get_ref().accept()?;
                let peer = Addr::Unix(peer.as_pathname().map(PathBuf::from));
                Stream::unix(stream, self.local.clone(), peer)
            }
        }
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        loop {
            match self.try_accept() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
            let ready = match &self.socket {
                Kind::Tcp(socket) => socket.poll_readable(cx),
                #[cfg(unix)]
                Kind::Unix(socket) => socket.poll_readable(cx),
            };
            futures_lite::ready!(ready)?;
        }
    }

    /// Lets no new connection into the queue, as far as the system can do that.
    ///
    /// A classic BPF program on the listener drops segments with SYN and without ACK, and only those,
    /// so a handshake that has begun is finished. Best effort: `SO_ATTACH_FILTER` needs no privilege,
    /// but a sandbox may refuse it.
    fn turn_away(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Kind::Tcp(socket) = &self.socket {
            use socket2::SockFilter;
            const LOAD_BYTE: u16 = 0x30; // BPF_LD | BPF_B | BPF_ABS
            const AND: u16 = 0x54; // BPF_ALU | BPF_AND | BPF_K
            const JUMP_IF_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
            const RETURN: u16 = 0x06; // BPF_RET | BPF_K
            const FLAGS: u32 = 13; // of the TCP header, which is where the program starts (RFC 9293, 3.1)
            const SYN: u32 = 0x02;
            const ACK: u32 = 0x10;
            let program = [
                SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
                SockFilter::new(AND, 0, 0, SYN | ACK),
                SockFilter::new(JUMP_IF_EQUAL, 0, 1, SYN),
                SockFilter::new(RETURN, 0, 0, 0),
                SockFilter::new(RETURN, 0, 0, u32::MAX),
            ];
            if let Err(error) = SockRef::from(socket.get_ref()).attach_filter(&program) {
                log::debug!("new connections cannot be turned away: {error}");
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(path) = &self.file {
            // It may be gone already, or be replaced by whoever listens next: nothing to tell anyone.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Whether an accepted socket has its listener's `TCP_NODELAY`.
const INHERITS: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Whether the socket file at `path` is left over: nobody answers there.
#[cfg(unix)]
fn is_stale(path: &PathBuf) -> bool {
    UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// What a failed accept is about.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    /// That one connection: it is gone.
    Connection,
    /// Descriptors or memory: later it may work.
    Resources,
    /// The listener: it will never work.
    Listener,
}

impl Failure {
    fn of(error: &io::Error) -> Self {
        use io::ErrorKind::{
            ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, InvalidInput,
            NotConnected, Unsupported,
        };
        match error.kind() {
            ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
            | NotConnected => Self::Connection,
            InvalidInput | Unsupported => Self::Listener,
            // EMFILE, ENFILE, ENOBUFS and ENOMEM, and what is not known: pausing spins on none of them.
            _ => Self::Resources,
        }
    }
}
