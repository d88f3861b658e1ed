//! The address of one end of a connection.

use std::fmt::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The address of one end of a connection, or of a listener.
///
/// # Examples
///
/// ```
/// use neap::net::{Address, Endpoint};
///
/// let listeners = Address::from("127.0.0.1:0").bind()?;
/// let endpoint = &listeners.local_addrs()[0];
/// let address = endpoint.tcp().expect("an IP address was given");
/// assert_eq!(*endpoint, Endpoint::Tcp(address));
/// assert_eq!(endpoint.to_string(), address.to_string());
///
/// let unix = Endpoint::Unix(Some("/run/app.sock".into()));
/// assert_eq!(unix.tcp(), None);
/// assert_eq!(unix.to_string(), "unix:/run/app.sock");
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// An IP address and a port.
    Tcp(SocketAddr),
    /// A Unix socket, and its path. The socket of a client has none.
    Unix(Option<PathBuf>),
}

impl Endpoint {
    /// Returns the IP address and port, or `None` for a Unix socket.
    #[must_use]
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

/// Writes `127.0.0.1:8080`, `unix:/run/app.sock`, or `unix:` for a socket without a path. A control character in a
/// path is escaped, as in `\n`: clients choose the paths of their own sockets, and could forge lines of a log.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(Some(path)) => {
                f.write_str("unix:")?;
                path.to_string_lossy().chars().try_for_each(|c| match c {
                    c if c.is_control() => c.escape_default().fmt(f),
                    c => f.write_char(c),
                })
            }
            Self::Unix(None) => f.write_str("unix:"),
        }
    }
}
