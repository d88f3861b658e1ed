//! The addresses a server is to listen on.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use super::listener::Listener;
use super::listeners::Listeners;
use super::memory::port::PortListener;

/// The length of the kernel's queue of connections for each listener, unless another is set.
pub(crate) const BACKLOG: u32 = 1024;

/// The address or addresses that a server is to listen on.
///
/// | made from | listens on |
/// |---|---|
/// | `"127.0.0.1:8080"`, `"localhost:8080"`, a `String` | the first address of that name that can be bound |
/// | `":8080"` | that port of every IPv4 address, as `"0.0.0.0:8080"`; `"[::]:8080"` is for IPv6, and on most Linux systems for both |
/// | `"unix:/run/app.sock"`, a `PathBuf` | a Unix socket; its file is removed at the end, unless another has taken its place, and replaced if nobody listens on it |
/// | `("localhost", 8080)` | the same as `"localhost:8080"` |
/// | `SocketAddr`, `(IpAddr, u16)`, `([127, 0, 0, 1], 8080)` | that address |
/// | `std::net::TcpListener`, `UnixListener`, [`Listeners`] | a socket that is bound already |
/// | a `Vec` or an array of these | all of them |
///
/// With port 0 the system chooses a free port, which [`Listeners::local_addrs`] returns.
///
/// # Examples
///
/// ```
/// use neap::net::Address;
///
/// let listeners = Address::from("127.0.0.1:0").and(([127, 0, 0, 1], 0)).bind()?;
/// assert_eq!(listeners.local_addrs().len(), 2);
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct Address {
    entries: Vec<Entry>,
}

/// One of the addresses.
#[derive(Debug)]
enum Entry {
    /// A host and a port, to be resolved.
    Name(String),
    /// An IP address and a port.
    Socket(SocketAddr),
    /// The file of a Unix socket.
    Path(PathBuf),
    /// A socket that was bound elsewhere, or the error of adopting it.
    Bound(io::Result<Listener>),
}

impl Address {
    /// Adds another address.
    #[must_use]
    pub fn and(mut self, other: impl Into<Self>) -> Self {
        self.entries.extend(other.into().entries);
        self
    }

    /// Makes the address of a port of a network in memory.
    pub(super) fn memory(port: PortListener) -> Self {
        Entry::Bound(Ok(Listener::memory(port))).into()
    }

    /// Makes an address that cannot be bound, as another listens there.
    pub(super) fn taken(address: SocketAddr) -> Self {
        let error = cannot_listen(io::ErrorKind::AddrInUse.into(), &address);
        Entry::Bound(Err(error)).into()
    }

    /// Binds every address, each with a backlog of 1024 connections.
    ///
    /// It resolves host names, and blocks for as long as the system's resolver does.
    ///
    /// # Errors
    ///
    /// Returns the first failure, whose message names the address. Nothing stays bound then.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::net::Address;
    ///
    /// let taken = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    /// let listeners = Address::from(taken).bind()?;
    /// let error = Address::from(taken).bind().unwrap_err();
    /// assert!(error.to_string().contains(&taken.to_string()));
    /// # drop(listeners);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn bind(self) -> io::Result<Listeners> {
        self.bind_with(BACKLOG)
    }

    /// Does the same with another backlog.
    pub(super) fn bind_with(self, backlog: u32) -> io::Result<Listeners> {
        let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        let entries = self.entries.into_iter();
        let bound: io::Result<Vec<Listener>> = entries.map(|entry| entry.bind(backlog)).collect();
        Ok(Listeners::new(bound?))
    }
}

impl Entry {
    /// Binds it, with a queue of `backlog` connections in the kernel.
    fn bind(self, backlog: i32) -> io::Result<Listener> {
        match self {
            Self::Bound(listener) => listener,
            Self::Socket(address) => {
                Listener::tcp(address, backlog).map_err(|error| cannot_listen(error, &address))
            }
            Self::Path(path) => {
                let name = path.display().to_string();
                Listener::unix(path, backlog).map_err(|error| cannot_listen(error, &name))
            }
            Self::Name(name) => {
                let addresses = resolve(&name).map_err(|error| cannot_listen(error, &name))?;
                let mut last = io::Error::new(io::ErrorKind::NotFound, "no such host");
                for address in addresses {
                    match Listener::tcp(address, backlog) {
                        Ok(listener) => return Ok(listener),
                        Err(error) => last = error,
                    }
                }
                Err(cannot_listen(last, &name))
            }
        }
    }
}

/// Returns the addresses of a host and a port. No host stands for every IPv4 address.
fn resolve(name: &str) -> io::Result<std::vec::IntoIter<SocketAddr>> {
    if name.starts_with(':') {
        return format!("{}{name}", Ipv4Addr::UNSPECIFIED).to_socket_addrs();
    }
    // An IPv6 address in brackets has colons too.
    if !name.contains(':') || name.ends_with(']') {
        let message = format!("the port is missing, as in {name}:8080");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    name.to_socket_addrs()
}

/// Adds the address to an error: the system's own message does not name it.
fn cannot_listen(error: io::Error, address: &dyn fmt::Display) -> io::Error {
    io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
}

impl From<Entry> for Address {
    fn from(entry: Entry) -> Self {
        Self {
            entries: vec![entry],
        }
    }
}

impl From<&str> for Address {
    fn from(name: &str) -> Self {
        match name.strip_prefix("unix:") {
            Some(path) => Entry::Path(path.into()).into(),
            None => Entry::Name(name.into()).into(),
        }
    }
}

impl From<String> for Address {
    fn from(name: String) -> Self {
        Self::from(name.as_str())
    }
}

impl From<&String> for Address {
    fn from(name: &String) -> Self {
        Self::from(name.as_str())
    }
}

impl From<PathBuf> for Address {
    fn from(path: PathBuf) -> Self {
        Entry::Path(path).into()
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Entry::Socket(address).into()
    }
}

impl From<(&str, u16)> for Address {
    fn from((host, port): (&str, u16)) -> Self {
        match host.parse::<IpAddr>() {
            Ok(ip) => Self::from((ip, port)),
            Err(_) if host.is_empty() => {
                let error = format!("cannot listen on port {port}: the host is empty");
                let error = io::Error::new(io::ErrorKind::InvalidInput, error);
                Entry::Bound(Err(error)).into()
            }
            Err(_) => Entry::Name(format!("{host}:{port}")).into(),
        }
    }
}

impl From<(String, u16)> for Address {
    fn from((host, port): (String, u16)) -> Self {
        Self::from((host.as_str(), port))
    }
}

/// One by one: an impl for all that converts into `IpAddr` would rule out that of a host's name.
macro_rules! from_ip_and_port {
    ($($ip:ty),*) => {$(
        impl From<($ip, u16)> for Address {
            fn from(address: ($ip, u16)) -> Self {
                SocketAddr::from(address).into()
            }
        }
    )*};
}

from_ip_and_port!(IpAddr, Ipv4Addr, Ipv6Addr, [u8; 4], [u8; 16], [u16; 8]);

impl From<TcpListener> for Address {
    fn from(listener: TcpListener) -> Self {
        Entry::Bound(Listener::from_tcp(listener)).into()
    }
}

#[cfg(unix)]
impl From<UnixListener> for Address {
    fn from(listener: UnixListener) -> Self {
        Entry::Bound(Listener::from_unix(listener)).into()
    }
}

impl From<Listeners> for Address {
    fn from(listeners: Listeners) -> Self {
        let entries = listeners.into_each().map(|each| Entry::Bound(Ok(each)));
        Self {
            entries: entries.collect(),
        }
    }
}

impl<T: Into<Self>> From<Vec<T>> for Address {
    fn from(several: Vec<T>) -> Self {
        let entries = several.into_iter().flat_map(|each| each.into().entries);
        Self {
            entries: entries.collect(),
        }
    }
}

impl<T: Into<Self>, const N: usize> From<[T; N]> for Address {
    fn from(several: [T; N]) -> Self {
        Vec::from(several).into()
    }
}
