//! The sockets that were bound before the program started: socket activation, sd_listen_fds(3).

use std::env;
use std::fmt;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::process;
use std::sync::{Arc, OnceLock, Weak};

use listenfd::ListenFd;
use socket2::SockRef;

use crate::sync::{Mutex, lock};

/// The name of sockets that have none, as sd_listen_fds_with_names(3) has it.
const NO_NAME: &str = "unknown";

/// The most sockets that are believed. systemd passes as many as a unit has lines that name one.
const MOST: usize = 4096;

/// What was passed to this process.
static PASSED: OnceLock<Passed> = OnceLock::new();

/// What was passed to this process.
struct Passed {
    /// Why there is nothing, if that is so.
    missing: Option<Missing>,
    sockets: Mutex<Vec<Named>>,
}

/// Why no socket was passed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Missing {
    /// `LISTEN_FDS` is not set, or zero: the text says which.
    NotActivated(&'static str),
    /// `LISTEN_PID` is another process.
    OtherProcess(String),
    /// The environment is not as it must be.
    Bad(String),
}

/// A socket that was passed, and its name.
struct Named {
    name: String,
    socket: Socket,
    /// Alive while a server of this process has it.
    lease: Weak<()>,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
    /// No server can accept from it: what it is instead.
    Other(String),
}

/// A socket that was passed, for one server.
pub(crate) struct Taken {
    pub(crate) socket: Listening,
    /// While this is alive, no other server gets the same socket.
    pub(crate) lease: Arc<()>,
}

/// A listening socket of either kind.
pub(crate) enum Listening {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// Takes what was passed, the first time that this is called. No child process inherits it from then on.
pub(crate) fn take() {
    passed();
}

/// Returns true if no socket was meant for this process.
pub(crate) fn is_none() -> bool {
    let missing = &passed().missing;
    matches!(
        missing,
        Some(Missing::NotActivated(_) | Missing::OtherProcess(_))
    )
}

/// Returns the sockets of a name, each for one server; all that were passed if the name is empty.
///
/// # Errors
///
/// There is none, another server has one of them, or no connection can be accepted from it.
pub(crate) fn named(name: &str) -> io::Result<Vec<Taken>> {
    let passed = passed();
    if let Some(missing) = &passed.missing {
        return Err(io::Error::new(io::ErrorKind::NotFound, missing.to_string()));
    }
    let mut sockets = lock(&passed.sockets);
    if !sockets.iter().any(|socket| socket.is_named(name)) {
        let names: Vec<_> = sockets.iter().map(|socket| &*socket.name).collect();
        let names = names.join(":");
        let error = format!("no such socket was passed: LISTEN_FDNAMES has `{names}`");
        return Err(io::Error::new(io::ErrorKind::NotFound, error));
    }
    let chosen = sockets.iter_mut().filter(|socket| socket.is_named(name));
    chosen.map(Named::lend).collect()
}

/// Returns what this process has of the environment's.
fn passed() -> &'static Passed {
    PASSED.get_or_init(|| {
        let (sockets, missing) = match from_environment() {
            Ok(sockets) => (sockets, None),
            Err(missing) => (Vec::new(), Some(missing)),
        };
        Passed {
            missing,
            sockets: Mutex::new(sockets),
        }
    })
}

/// Takes the sockets, and takes `LISTEN_FDS` and `LISTEN_PID` out of the environment.
fn from_environment() -> Result<Vec<Named>, Missing> {
    let count = count()?;
    // Also for those that no server can use. An error is one of a descriptor that is none.
    let _ = sd_notify::listen_fds();
    let mut listen = ListenFd::from_env();
    let sockets: Vec<_> = (0..count)
        .map(|index| Socket::take(&mut listen, index))
        .collect();
    if count == 0 {
        return Err(Missing::NotActivated("0"));
    }
    let names = match variable("LISTEN_FDNAMES") {
        Some(names) => names.split(':').map(str::to_owned).collect(),
        None => vec![NO_NAME.to_owned(); count],
    };
    if names.len() != count {
        let names = names.join(":");
        let bad = format!("LISTEN_FDS is {count}, and LISTEN_FDNAMES has `{names}`");
        return Err(Missing::Bad(bad));
    }
    let named = |(name, socket)| Named {
        name,
        socket,
        lease: Weak::new(),
    };
    Ok(names.into_iter().zip(sockets).map(named).collect())
}

/// Returns how many sockets are for this process.
fn count() -> Result<usize, Missing> {
    let count = variable("LISTEN_FDS").ok_or(Missing::NotActivated("not set"))?;
    // A parent cannot know the number of a child that it has not started, so that may be missing.
    let other = variable("LISTEN_PID").filter(|pid| *pid != process::id().to_string());
    if let Some(other) = other {
        return Err(Missing::OtherProcess(other));
    }
    let number = count.parse().ok().filter(|count| *count <= MOST);
    number.ok_or_else(|| Missing::Bad(format!("LISTEN_FDS is `{count}`")))
}

/// Returns a variable of the environment, unless it is not set or empty.
fn variable(name: &str) -> Option<String> {
    let value = env::var_os(name)?.to_string_lossy().into_owned();
    (!value.is_empty()).then_some(value)
}

impl Named {
    fn is_named(&self, name: &str) -> bool {
        name.is_empty() || self.name == name
    }

    /// Lends the socket to a server. It stays here: a server that is started again asks for it again.
    fn lend(&mut self) -> io::Result<Taken> {
        if self.lease.upgrade().is_some() {
            let error = format!("another server of this process listens on `{}`", self.name);
            return Err(io::Error::new(io::ErrorKind::AddrInUse, error));
        }
        let socket = match &self.socket {
            Socket::Tcp(socket) => Listening::Tcp(socket.try_clone()?),
            Socket::Unix(socket) => Listening::Unix(socket.try_clone()?),
            Socket::Other(what) => {
                let error = format!("`{}` is {what}", self.name);
                return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
            }
        };
        let lease = Arc::new(());
        self.lease = Arc::downgrade(&lease);
        Ok(Taken { socket, lease })
    }
}

impl Socket {
    /// Takes the socket of this index. No child process inherits it from then on.
    fn take(listen: &mut ListenFd, index: usize) -> Socket {
        if let Ok(Some(socket)) = listen.take_tcp_listener(index) {
            return match is_listener(&SockRef::from(&socket)) {
                true => Socket::Tcp(socket),
                false => Socket::Other(NOT_LISTENING.into()),
            };
        }
        if let Ok(Some(socket)) = listen.take_unix_listener(index) {
            return match is_listener(&SockRef::from(&socket)) {
                true => Socket::Unix(socket),
                false => Socket::Other(NOT_LISTENING.into()),
            };
        }
        let is_udp = matches!(listen.take_udp_socket(index), Ok(Some(_)));
        if is_udp || matches!(listen.take_unix_datagram(index), Ok(Some(_))) {
            return Socket::Other("a datagram socket (ListenDatagram=)".into());
        }
        Socket::Other("no socket of a stream, as ListenStream= makes it".into())
    }
}

/// What a stream socket is that accepts nothing.
const NOT_LISTENING: &str = "a connection: the unit of the socket has to have Accept=no";

/// Returns false if connections cannot be accepted from a stream socket, where the system says that.
fn is_listener(socket: &SockRef<'_>) -> bool {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    return socket.is_listener().unwrap_or(true);
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    {
        let _ = socket;
        true
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::NotActivated(what) => {
                write!(
                    f,
                    "no socket was passed to this process: LISTEN_FDS is {what}"
                )
            }
            Missing::OtherProcess(pid) => {
                let own = process::id();
                write!(
                    f,
                    "no socket was passed to this process, {own}: LISTEN_PID is {pid}"
                )
            }
            Missing::Bad(what) => f.write_str(what),
        }
    }
}
