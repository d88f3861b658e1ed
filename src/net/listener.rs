//! One bound socket.

use std::io;
use std::net::{SocketAddr, TcpListener};
#[cfg(unix)]
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
#[cfg(all(unix, feature = "systemd"))]
use std::sync::Arc;
use std::task::{Context, Poll};

use async_io::Async;
use futures_lite::ready;
use socket2::{Domain, Protocol, SockRef, Type};

use super::accept_run::AcceptRun;
use super::endpoint::Endpoint;
use super::handshakes::{Diagnosis, Handshake, Queue};
use super::memory::port::PortListener;
#[cfg(unix)]
use super::socket_file::{self, SocketFile};
use super::stream::Stream;
use super::syn_refusal;
#[cfg(all(unix, feature = "systemd"))]
use crate::systemd::sockets::{Listening, Taken};

/// True if an accepted socket has the `TCP_NODELAY` of its listener.
const NODELAY_IS_INHERITED: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// A bound socket that connections are accepted from.
#[derive(Debug)]
pub(super) struct Listener {
    socket: Socket,
    /// Where the socket is bound.
    local: Endpoint,
    /// Whether other processes accept from the same socket.
    holders: Holders,
    run: AcceptRun,
    /// The file to remove at the end, if the socket was bound here.
    #[cfg(unix)]
    file: Option<SocketFile>,
    /// Keeps a socket that was passed from other servers.
    #[cfg(all(unix, feature = "systemd"))]
    _lease: Option<Arc<()>>,
}

/// Who accepts from a socket, or will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holders {
    /// This process alone.
    ThisProcess,
    /// Others may, as it was not bound here.
    PerhapsOthers,
    /// Others do: a service manager holds it for the next process.
    Others,
}

#[derive(Debug)]
enum Socket {
    Tcp(Async<TcpListener>),
    #[cfg(unix)]
    Unix(Async<UnixListener>),
    Memory(PortListener),
}

/// What a listener refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nothing: the system cannot, or will not.
    None,
    /// New connects, each of which is either in the queue or refused.
    #[cfg_attr(
        not(unix),
        expect(dead_code, reason = "only a Unix socket refuses these")
    )]
    Connects,
    /// New handshakes. Those that have begun go on, and end in the queue.
    Handshakes,
}

impl Listener {
    /// Binds an IP address, also if a server has just left it (`SO_REUSEADDR`).
    pub(super) fn tcp(address: SocketAddr, backlog: i32) -> io::Result<Self> {
        let domain = Domain::for_address(address);
        let socket = socket2::Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        #[cfg(not(windows))]
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(backlog)?;
        Self::from_tcp(socket.into()).map(Self::of_this_process)
    }

    /// Adopts a TCP socket that is bound already.
    pub(super) fn from_tcp(listener: TcpListener) -> io::Result<Self> {
        // Set here once, it holds for every accepted socket where that inherits it.
        SockRef::from(&listener).set_tcp_nodelay(true)?;
        Ok(Self {
            local: Endpoint::Tcp(listener.local_addr()?),
            holders: Holders::PerhapsOthers,
            run: AcceptRun::default(),
            socket: Socket::Tcp(Async::new(listener)?),
            #[cfg(unix)]
            file: None,
            #[cfg(all(unix, feature = "systemd"))]
            _lease: None,
        })
    }

    /// Binds a path. If a file is there that nobody listens on, it is replaced.
    #[cfg(unix)]
    pub(super) fn unix(path: PathBuf, backlog: i32) -> io::Result<Self> {
        let bind = || {
            let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.bind(&socket2::SockAddr::unix(&path)?)?;
            socket.listen(backlog)?;
            io::Result::Ok(socket)
        };
        let socket = match bind() {
            Err(error)
                if error.kind() == io::ErrorKind::AddrInUse && socket_file::is_stale(&path) =>
            {
                std::fs::remove_file(&path)?;
                bind()?
            }
            result => result?,
        };
        let mut listener = Self::from_unix(socket.into())?.of_this_process();
        listener.file = Some(SocketFile::of(path)?);
        Ok(listener)
    }

    /// Fails: there are no Unix sockets here.
    #[cfg(not(unix))]
    pub(super) fn unix(_: PathBuf, _: i32) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Adopts a Unix socket that is bound already.
    #[cfg(unix)]
    pub(super) fn from_unix(listener: UnixListener) -> io::Result<Self> {
        let path = listener.local_addr()?.as_pathname().map(PathBuf::from);
        Ok(Self {
            local: Endpoint::Unix(path),
            holders: Holders::PerhapsOthers,
            run: AcceptRun::default(),
            socket: Socket::Unix(Async::new(listener)?),
            file: None,
            #[cfg(feature = "systemd")]
            _lease: None,
        })
    }

    /// Adopts a port of a network in memory.
    pub(super) fn memory(port: PortListener) -> Self {
        Self {
            local: Endpoint::Tcp(port.address()),
            holders: Holders::ThisProcess,
            run: AcceptRun::default(),
            socket: Socket::Memory(port),
            #[cfg(unix)]
            file: None,
            #[cfg(all(unix, feature = "systemd"))]
            _lease: None,
        }
    }

    /// Adopts a socket that a service manager has passed, and holds for the next process.
    #[cfg(all(unix, feature = "systemd"))]
    pub(super) fn passed(taken: Taken) -> io::Result<Self> {
        let listener = match taken.socket {
            Listening::Tcp(socket) => Self::from_tcp(socket),
            Listening::Unix(socket) => Self::from_unix(socket),
        };
        Ok(Self {
            holders: Holders::Others,
            _lease: Some(taken.lease),
            ..listener?
        })
    }

    /// Returns true if no other process accepts from the socket.
    #[cfg(feature = "http")]
    pub(super) fn is_of_this_process(&self) -> bool {
        self.holders == Holders::ThisProcess
    }

    /// Returns true unless the socket is one in memory.
    pub(super) fn is_of_the_kernel(&self) -> bool {
        !matches!(self.socket, Socket::Memory(_))
    }

    /// Says that no other process accepts from the socket.
    pub(super) fn of_this_process(mut self) -> Self {
        self.holders = Holders::ThisProcess;
        self
    }

    /// Returns true if it is known that others accept from the socket.
    pub(super) fn is_of_others(&self) -> bool {
        self.holders == Holders::Others
    }

    /// Returns where the socket is bound.
    pub(super) fn local(&self) -> &Endpoint {
        &self.local
    }

    /// Accepts a connection, if one is there.
    ///
    /// # Errors
    ///
    /// Returns `WouldBlock` if none is there, else the error of the socket.
    pub(super) fn try_accept(&self) -> io::Result<Stream> {
        let result = self.accept();
        match &result {
            Ok(_) => self.run.add(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.run.end(),
            Err(_) => {}
        }
        result
    }

    fn accept(&self) -> io::Result<Stream> {
        match &self.socket {
            Socket::Tcp(socket) => {
                let (stream, peer) = socket.get_ref().accept()?;
                if !NODELAY_IS_INHERITED {
                    stream.set_nodelay(true)?;
                }
                // Only a socket bound to every address has to ask where the connection arrived.
                let local = match &self.local {
                    Endpoint::Tcp(local) if local.ip().is_unspecified() => {
                        Endpoint::Tcp(stream.local_addr()?)
                    }
                    local => local.clone(),
                };
                Stream::tcp(stream, local, Endpoint::Tcp(peer))
            }
            #[cfg(unix)]
            Socket::Unix(socket) => {
                let (stream, peer) = socket.get_ref().accept()?;
                let peer = Endpoint::Unix(peer.as_pathname().map(PathBuf::from));
                Stream::unix(stream, self.local.clone(), peer)
            }
            Socket::Memory(port) => {
                let (end, client) = port.try_accept()?;
                Ok(Stream::memory(
                    end,
                    self.local.clone(),
                    Endpoint::Tcp(client),
                ))
            }
        }
    }

    /// Waits for a connection and accepts it.
    pub(super) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        loop {
            match self.try_accept() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
            let ready = match &self.socket {
                Socket::Tcp(socket) => socket.poll_readable(cx),
                #[cfg(unix)]
                Socket::Unix(socket) => socket.poll_readable(cx),
                Socket::Memory(port) => port.poll_readable(cx),
            };
            ready!(ready)?;
        }
    }

    /// Returns the handshakes that are in flight.
    ///
    /// # Errors
    ///
    /// The kernel cannot be asked.
    pub(super) fn handshakes(&self, kernel: &mut Option<Diagnosis>) -> io::Result<Vec<Handshake>> {
        match (&self.socket, &self.local) {
            (Socket::Memory(port), _) => Ok(port.handshakes()),
            (_, Endpoint::Tcp(address)) => Diagnosis::of(kernel)?.handshakes(*address),
            (_, Endpoint::Unix(_)) => Ok(Vec::new()),
        }
    }

    /// Returns the queue of connections that can be accepted.
    ///
    /// # Errors
    ///
    /// The kernel cannot be asked; nor can it for a Unix socket.
    pub(super) fn queue(&self, kernel: &mut Option<Diagnosis>) -> io::Result<Queue> {
        match (&self.socket, &self.local) {
            (Socket::Memory(port), _) => Ok(port.queue()),
            (_, Endpoint::Tcp(address)) => Diagnosis::of(kernel)?.queue(*address),
            (_, Endpoint::Unix(_)) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Returns how many connections were accepted in the last minute without an empty queue in between,
    /// at the most.
    pub(super) fn longest_run(&self) -> usize {
        self.run.longest()
    }

    /// Refuses new connections from now on, as far as the system can do that. It cannot be undone, and so
    /// is not done to a socket that others may accept from.
    pub(super) fn refuse(&self) -> Refusal {
        match &self.socket {
            _ if self.holders != Holders::ThisProcess => Refusal::None,
            Socket::Tcp(socket) => match syn_refusal::refuse(socket.get_ref()) {
                true => Refusal::Handshakes,
                false => Refusal::None,
            },
            #[cfg(unix)]
            Socket::Unix(socket) => {
                // On Linux it refuses connects and leaves the queue as it is. The socket is readable
                // from then on, so nothing may wait for that.
                let refuses = cfg!(any(target_os = "linux", target_os = "android"))
                    && SockRef::from(socket.get_ref())
                        .shutdown(std::net::Shutdown::Read)
                        .is_ok();
                match refuses {
                    true => Refusal::Connects,
                    false => Refusal::None,
                }
            }
            Socket::Memory(port) => {
                port.refuse();
                Refusal::Handshakes
            }
        }
    }

    /// Lets the last ACK of a handshake in again that the kernel has not stored (a SYN cookie), and
    /// returns true if the system can do that. Handshakes that begin are refused as before.
    pub(super) fn let_acks_in(&self) -> bool {
        match &self.socket {
            Socket::Tcp(socket) => syn_refusal::let_acks_in(socket.get_ref()),
            _ => true,
        }
    }
}
