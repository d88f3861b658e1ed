//! From whom a header of the PROXY protocol is required.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::network::Network;
use crate::net::endpoint::Endpoint;
use crate::net::seldom::Seldom;
use crate::sync::{AtomicU64, Ordering};
use crate::time::time_source::TimeSource;

/// How long a header may take, unless another time is set: the specification says 3 s at least (section 2), as that
/// covers a segment that was lost.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// The peers that a connection may come from by way of a proxy, and must have a header of the PROXY protocol then.
///
/// The header names the client, and the address that it has connected to, before any byte of the client's. A
/// server with a `ProxyProtocol` takes these for the addresses of the connection. Versions 1 and 2 are understood. The source is
/// [proxy-protocol.txt](https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt) of HAProxy; the sections named below are
/// its own.
///
/// # Who is trusted
///
/// What a header says is believed, so it must be taken from nobody who could say what he likes. And whether
/// there is a header must not be guessed (section 2): a client could then send one itself. It is decided by the
/// address of the peer alone:
///
/// - From the [peers](ProxyProtocol::from_peers) that are named here, a header is **required**. A connection that
///   begins with anything else is closed, and so is one whose header is malformed or does not come in
///   [time](ProxyProtocol::header_timeout).
/// - The connections of all others are closed as they are accepted, unless they are to be
///   [served](ProxyProtocol::serve_others). Then they are served as they are: a header of theirs is never read as one.
///
/// # What the addresses are then
///
/// The client is [`Stream::peer_addr`](super::super::Stream::peer_addr), and in `http` `RequestContext::peer` and tide's
/// `peer_addr()` (`remote()` prefers fields that the client has sent, if there are some); the address that it has connected to is the local one. An IPv4 address in an IPv6 one stays as the
/// header says it. The proxy itself is [`ProxyInfo::addr`](super::ProxyInfo::addr).
///
/// A header may name nobody: `LOCAL` in version 2, which is how balancers check the health of a server, `UNKNOWN` in version 1, or a
/// protocol that is not of streams. The addresses are then those of the socket. What version 2 may have behind the addresses
/// (TLVs, section 2.2) is read and dropped, checksums included.
///
/// # Limits
///
/// `max_connections` counts connections, whoever they come from: those of a proxy are one each. There is no limit for each client in
/// this crate; one of your own goes by the client's address, above.
///
/// # Drain
///
/// The header is no request. A client that has connected before the stop is served, also if the header, or a
/// part of it, is still to come. In a drain a peer that has sent nothing is waited for as any new connection is
/// (`new_conn_grace` of `http`, 1 s from its accept on `net`), and one with a part of its header for
/// `drain_head_timeout` (5 s on `net`), from the begin of the drain on. Behind the header the grace begins anew, for the first request.
///
/// # Examples
///
/// ```
/// use neap::net::{self, ProxyProtocol};
///
/// let proxies = ProxyProtocol::from_peers(["10.0.0.0/8", "fd00::/8", "192.0.2.7"])?;
/// let server = net::Server::new("127.0.0.1:0", async |stream: net::Stream, _| {
///     println!("{} is here", stream.peer_addr());
/// });
/// let server = server.proxy_protocol(&proxies);
///
/// let error = ProxyProtocol::from_peers(["10.0.0.0/8", "10.0.0.1/8"]).unwrap_err();
/// assert_eq!(error.to_string(), "`10.0.0.1/8` is no peer: it has bits behind its prefix: is it 10.0.0.0/8?");
/// # drop(server);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until a server has it"]
pub struct ProxyProtocol {
    networks: Arc<[Network]>,
    /// Whether the peers of Unix sockets are proxies.
    has_unix: bool,
    pub(super) header_timeout: Duration,
    serves_others: bool,
    refusals: Arc<Refusals>,
}

/// The connections that were closed.
#[derive(Default)]
struct Refusals {
    count: AtomicU64,
    record: Seldom,
}

/// What becomes of a peer's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// They begin with a header.
    Proxy,
    /// They are served as they are.
    Client,
    /// They are closed.
    Nobody,
}

impl ProxyProtocol {
    /// Requires a header from these peers: IP addresses, networks such as `10.0.0.0/8`, and `unix:` for those of all Unix
    /// sockets. An address of IPv4 stands for the same in IPv6 too, as a socket on `[::]` has it.
    ///
    /// `0.0.0.0/0` and `::/0` are everybody: right only where nobody but a proxy can connect. Of a Unix socket, its
    /// file decides who can: name them only if none but the proxy may write it.
    ///
    /// # Errors
    ///
    /// The error, `InvalidInput`, names the first that is none of these, and says why. To name nobody is an error,
    /// too.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::net::ProxyProtocol;
    ///
    /// assert!(ProxyProtocol::from_peers(["2001:db8::/32", "unix:"]).is_ok());
    /// let error = ProxyProtocol::from_peers(["balancer.local"]).unwrap_err();
    /// assert_eq!(error.to_string(), "`balancer.local` is no peer: `balancer.local` is no IP address");
    /// # std::io::Result::Ok(())
    /// ```
    pub fn from_peers<P: AsRef<str>>(peers: impl IntoIterator<Item = P>) -> io::Result<Self> {
        let (mut networks, mut has_unix) = (Vec::new(), false);
        for peer in peers {
            match peer.as_ref() {
                "unix:" => has_unix = true,
                text => networks.push(
                    Network::parse(text)
                        .map_err(|why| invalid(format!("`{text}` is no peer: {why}")))?,
                ),
            }
        }
        if networks.is_empty() && !has_unix {
            let why =
                "no peer is named that a PROXY header is to come from: nobody could be served";
            return Err(invalid(why.into()));
        }
        Ok(Self {
            networks: networks.into(),
            has_unix,
            header_timeout: HEADER_TIMEOUT,
            serves_others: false,
            refusals: Arc::default(),
        })
    }

    /// Sets how long a header may take, counted from the accept. After that the connection is closed. **5 s** by
    /// default.
    ///
    /// The specification wants 3 s at the least, for a segment that was lost.
    pub fn header_timeout(mut self, timeout: Duration) -> Self {
        self.header_timeout = timeout;
        self
    }

    /// Sets whether the connections of other peers are served, as they are: with the addresses of the socket, and what
    /// they send is the protocol of the server from the first byte on. **False** by default: they are closed.
    ///
    /// That is the default since a list that has a hole shows: the proxy that was left out has its connections closed,
    /// and a log record says so. If others were served, all its clients would be taken for the proxy. Set it where others do
    /// connect: probes of an orchestrator, an administrator on the loopback interface.
    pub fn serve_others(mut self, serve: bool) -> Self {
        self.serves_others = serve;
        self
    }

    /// Returns how many connections were closed, by all servers with this or a clone of it: those of peers that are not
    /// named, and those whose header was malformed or late.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refusals.count.load(Ordering::Relaxed)
    }

    /// Returns what becomes of the connections of a peer.
    pub(super) fn trust(&self, peer: &Endpoint) -> Trust {
        let is_proxy = match peer {
            Endpoint::Tcp(address) => {
                let mut networks = self.networks.iter();
                networks.any(|network| network.contains(address.ip()))
            }
            Endpoint::Unix(_) => self.has_unix,
        };
        match (is_proxy, self.serves_others) {
            (true, _) => Trust::Proxy,
            (false, true) => Trust::Client,
            (false, false) => Trust::Nobody,
        }
    }

    /// Counts a connection that is closed, and makes a log record, at most one in 10 s.
    pub(super) fn refuse(&self, service: &str, time: &TimeSource, peer: &Endpoint, why: &str) {
        self.refusals.count.fetch_add(1, Ordering::Relaxed);
        self.refusals.record.note(time.now(), |times| {
            log::warn!(target: "neap", event = "proxy header refused", service, peer:%, times; "`{service}` has closed a connection from {peer}: {why}");
        });
    }
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

impl From<&ProxyProtocol> for ProxyProtocol {
    fn from(proxies: &ProxyProtocol) -> Self {
        proxies.clone()
    }
}

impl fmt::Debug for ProxyProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyProtocol")
            .field("networks", &self.networks)
            .field("has_unix", &self.has_unix)
            .field("header_timeout", &self.header_timeout)
            .field("serves_others", &self.serves_others)
            .field("refused", &self.refused())
            .finish()
    }
}
