//! The addresses a server is to listen on.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use super::from_env;
use super::listener::Listener;
use super::listeners::Listeners;
use super::memory::port::PortListener;
use super::passed::Passed;

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
/// | `"systemd:http"` | the sockets of that name that systemd has bound, see [below](#sockets-that-systemd-has-bound) |
/// | [`Address::from_env`] | what systemd has bound, or `HOST` and `PORT` of the environment |
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
/// # Sockets that systemd has bound
///
/// With the feature `systemd`, and on Unix, a server accepts from sockets that were bound before the program
/// started: by systemd, for a unit of the type `socket`, or by any parent that passes them by the protocol
/// of sd_listen_fds(3). `"systemd:http"` are those of the name `http` (`FileDescriptorName=` in the unit, the name of the unit
/// unless set), one or several, TCP or Unix; `"systemd:"` are all that were passed. A name that
/// was not passed is an error that says which were. [`or`](Address::or) names an address for a program
/// that is started without.
///
/// Such a socket is held by who has bound it, and is set not to block for all who hold it. So a server [leaves](super::Server::listener_shared) what is in its queue at a
/// stop to the next process, and clients see no gap in between.
///
/// `LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES` are read once, when a group is made with `Group::systemd` or
/// when a first such address is bound. The first two are then taken out of the environment, and no child
/// process inherits the sockets. Other threads that read the environment by way of C at this moment are a data race
/// (setenv(3)): do one of the two at the start of `main`. `LISTEN_PID` may be missing, as a parent cannot know it.
/// One server at a time has a socket; one that is [restarted](crate::restart()) gets it again.
///
/// ```
/// use neap::net::Address;
///
/// # #[cfg(feature = "systemd")] {
/// let address = Address::from("systemd:http").or("127.0.0.1:0");
/// assert_eq!(address.bind()?.local_addrs().len(), 1);
///
/// let error = Address::from("systemd:http").bind().unwrap_err().to_string();
/// # #[cfg(unix)]
/// assert!(error.contains("LISTEN_FDS is not set"), "{error}");
/// # }
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
    /// Sockets that a service manager has bound, and what to bind where it has passed none at all.
    Passed(Passed, Option<Vec<Entry>>),
}

impl Address {
    /// Listens where the environment says: for a program that is configured by it.
    ///
    /// These are the sockets that were [passed](#sockets-that-systemd-has-bound), all of them, or else the
    /// host in the variable `HOST` and the port in `PORT`. A variable that is not set or empty has its
    /// part of `default`: a host and a port, such as `127.0.0.1:8080`, or `:8080` for every IPv4 address.
    ///
    /// `HOST` is a name, an IPv4 address, or an IPv6 address with or without brackets; some shells set it to the
    /// name of the machine. With `PORT=0` the system chooses a free port. For a program of several servers,
    /// `Address::from("systemd:http").or(Address::from_env(default))` has only the sockets of one name.
    ///
    /// The variables are read here. What is wrong with them is the error of [`bind`](Address::bind), and of
    /// the server before it serves anything: "PORT is `http`, expected a number from 0 to 65535".
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::net::Address;
    ///
    /// let listeners = Address::from_env("127.0.0.1:0").bind()?;
    /// # std::io::Result::Ok(())
    /// ```
    #[must_use]
    pub fn from_env(default: &str) -> Self {
        let entry = match from_env::host_and_port(default) {
            Ok(name) => Entry::Name(name),
            Err(error) => Entry::Bound(Err(error)),
        };
        Self::from("systemd:").or(Self::from(entry))
    }

    /// Adds another address.
    #[must_use]
    pub fn and(mut self, other: impl Into<Self>) -> Self {
        self.entries.extend(other.into().entries);
        self
    }

    /// Sets where to listen if the program is started without any socket that systemd has bound.
    ///
    /// For a program that is started by systemd and by hand. If sockets were passed and none has the name
    /// that is asked for, that is an error still. Without a `"systemd:"` in the address this changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::net::Address;
    ///
    /// let address = Address::from("systemd:http").or(("127.0.0.1", 0));
    /// assert!(address.bind().is_ok());
    /// ```
    #[must_use]
    pub fn or(mut self, other: impl Into<Self>) -> Self {
        // Bound once, also if there are several names.
        let mut other = other.into().entries;
        for entry in &mut self.entries {
            if let Entry::Passed(_, otherwise @ None) = entry {
                *otherwise = Some(std::mem::take(&mut other));
            }
        }
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
        let mut bound = Vec::new();
        for entry in self.entries {
            entry.bind(backlog, &mut bound)?;
        }
        Ok(Listeners::new(bound))
    }
}

impl Entry {
    /// Binds it, with a queue of `backlog` connections in the kernel.
    fn bind(self, backlog: i32, bound: &mut Vec<Listener>) -> io::Result<()> {
        match self {
            Self::Bound(listener) => bound.push(listener?),
            Self::Socket(address) => bound.push(
                Listener::tcp(address, backlog).map_err(|error| cannot_listen(error, &address))?,
            ),
            Self::Path(path) => {
                let name = path.display().to_string();
                let listener = Listener::unix(path, backlog);
                bound.push(listener.map_err(|error| cannot_listen(error, &name))?);
            }
            Self::Name(name) => {
                let listener = bind_name(&name, backlog);
                bound.push(listener.map_err(|error| cannot_listen(error, &name))?);
            }
            Self::Passed(_, Some(otherwise)) if Passed::is_none_at_all() => {
                for entry in otherwise {
                    entry.bind(backlog, bound)?;
                }
            }
            Self::Passed(passed, _) => {
                let adopted = passed.adopt();
                bound.extend(adopted.map_err(|error| cannot_listen(error, &passed))?);
            }
        }
        Ok(())
    }
}

/// Binds the first address of a host and a port that can be bound.
fn bind_name(name: &str, backlog: i32) -> io::Result<Listener> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no such host");
    for address in resolve(name)? {
        match Listener::tcp(address, backlog) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
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
        if let Some(path) = name.strip_prefix("unix:") {
            Entry::Path(path.into()).into()
        } else if let Some(name) = name.strip_prefix("systemd:") {
            Entry::Passed(Passed(name.into()), None).into()
        } else {
            Entry::Name(name.into()).into()
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
