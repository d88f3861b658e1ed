//! Where a server listens, and where a peer is.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use super::Listeners;
use super::listeners::Listener;

/// Where a server shall listen: one place or several.
///
/// Made from what one has:
///
/// | from | listens on |
/// |---|---|
/// | `"127.0.0.1:8080"`, `"localhost:8080"`, a `String` | the first address of that name that can be bound |
/// | `"unix:/run/app.sock"`, a `PathBuf` | a Unix socket; the file is removed at the end, a stale one is replaced |
/// | `SocketAddr`, `(IpAddr, u16)`, `([127, 0, 0, 1], 8080)` | that address |
/// | `std::net::TcpListener`, `UnixListener`, [`Listeners`] | what is bound already |
/// | a `Vec` or an array of these | all of them |
///
/// Port 0 asks the system for a free one; [`Listeners::local_addrs`] tells which.
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
    places: Vec<Place>,
}

#[derive(Debug)]
enum Place {
    Name(String),
    Socket(SocketAddr),
    Path(PathBuf),
    Bound(io::Result<Listener>),
}

impl Address {
    /// This address and another one.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::net::Address;
    ///
    /// let both = Address::from("127.0.0.1:8080").and("[::1]:8080");
    /// # drop(both);
    /// ```
    #[must_use]
    pub fn and(mut self, other: impl Into<Self>) -> Self {
        self.places.extend(other.into().places);
        self
    }

    /// Binds all of it, each with a backlog of 1024 connections.
    ///
    /// A host name is resolved here, which may block for as long as the system's resolver does.
    ///
    /// # Errors
    ///
    /// The first failure, with the address in its message. Nothing is bound then.
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

    /// The same with another backlog.
    pub(crate) fn bind_with(self, backlog: u32) -> io::Result<Listeners> {
        let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        let bound: io::Result<Vec<Listener>> = self
            .places
            .into_iter()
            .map(|place| place.bind(backlog))
            .collect();
        Ok(Listeners::new(bound?))
    }
}

/// How many connections the kernel queues for a listener before it turns new ones away.
pub(crate) const BACKLOG: u32 = 1024;

impl Place {
    fn bind(self, backlog: i32) -> io::Result<Listener> {
        match self {
            Self::Bound(listener) => listener,
            Self::Socket(address) => {
                Listener::tcp(address, backlog).map_err(|error| named(error, &address))
            }
            Self::Path(path) => {
                let name = path.display().to_string();
                Listener::unix(path, backlog).map_err(|error| named(error, &name))
            }
            Self::Name(name) => {
                let addresses = name
                    .to_socket_addrs()
                    .map_err(|error| named(error, &name))?;
                let mut last = io::Error::new(io::ErrorKind::NotFound, "no such host");
                for address in addresses {
                    match Listener::tcp(address, backlog) {
                        Ok(listener) => return Ok(listener),
                        Err(error) => last = error,
                    }
                }
                Err(named(last, &name))
            }
        }
    }
}

/// Which address an error is about: the system's own message never says.
fn named(error: io::Error, address: &dyn fmt::Display) -> io::Error {
    io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
}

impl From<Place> for Address {
    fn from(place: Place) -> Self {
        Self {
            places: vec![place],
        }
    }
}

impl From<&str> for Address {
    fn from(name: &str) -> Self {
        match name.strip_prefix("unix:") {
            Some(path) => Place::Path(path.into()).into(),
            None => Place::Name(name.into()).into(),
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
        Place::Path(path).into()
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Place::Socket(address).into()
    }
}

impl<I: Into<IpAddr>> From<(I, u16)> for Address {
    fn from(address: (I, u16)) -> Self {
        SocketAddr::from(address).into()
    }
}

impl From<TcpListener> for Address {
    fn from(listener: TcpListener) -> Self {
        Place::Bound(Listener::from_tcp(listener)).into()
    }
}

#[cfg(unix)]
impl From<UnixListener> for Address {
    fn from(listener: UnixListener) -> Self {
        Place::Bound(Listener::from_unix(listener)).into()
    }
}

impl From<Listeners> for Address {
    fn from(listeners: Listeners) -> Self {
        let places = listeners.into_each().map(|each| Place::Bound(Ok(each)));
        Self {
            places: places.collect(),
        }
    }
}

impl<T: Into<Self>> From<Vec<T>> for Address {
    fn from(several: Vec<T>) -> Self {
        let places = several.into_iter().flat_map(|each| each.into().places);
        Self {
            places: places.collect(),
        }
    }
}

impl<T: Into<Self>, const N: usize> From<[T; N]> for Address {
    fn from(several: [T; N]) -> Self {
        Vec::from(several).into()
    }
}

/// One end of a connection, or the place of a listener.
///
/// # Examples
///
/// ```
/// use neap::net::{Addr, Address};
///
/// let listeners = Address::from("127.0.0.1:0").bind()?;
/// let Addr::Tcp(address) = &listeners.local_addrs()[0] else { unreachable!() };
/// assert_ne!(address.port(), 0);
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Addr {
    /// An IP address and a port.
    Tcp(SocketAddr),
    /// A Unix socket, with its path if it has one.
    Unix(Option<PathBuf>),
}

impl Addr {
    /// The IP address and port, if it has them.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::net::Addr;
    ///
    /// assert_eq!(Addr::Unix(None).tcp(), None);
    /// ```
    #[must_use]
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

/// `127.0.0.1:8080`, `unix:/run/app.sock`, or `unix:` for a socket without a path.
impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
            Self::Unix(None) => f.write_str("unix:"),
        }
    }
}
