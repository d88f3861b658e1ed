//! A network in memory: its ports and its connections.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::link::End;
use super::port::{Port, PortListener};
use super::wire::{Operation, Side, Wire};
use crate::net::address::Address;
use crate::net::endpoint::Endpoint;
use crate::net::stream::Stream;
use crate::sync::{Mutex, MutexGuard, lock};
use crate::time::clock::Clock;

/// The address of the only server of a network.
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// The address of all clients.
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
/// How many bytes a direction of a connection holds, unless another number is set.
const CAPACITY: usize = 64 * 1024;

/// A network in memory, to test servers without a port, a thread or a sleep.
///
/// Its servers are those of [`net`](crate::net) and [`http`](crate::http), as they are: what they listen
/// on is an [`Address`] that [`listen`](Network::listen) returns. A test has the other ends of their
/// connections, and drives them byte by byte. Each end is a [`Stream`].
///
/// It goes by the rules of TCP (RFC 9293) where they matter to a server: a connection is established
/// for the client before the server has accepted it; a close with bytes that were not read is a reset,
/// as is what is written to an end that was closed; a reset takes from both ends what they have not read.
/// Bytes arrive in order and none is lost, at once or [after a time](Network::with_delay).
///
/// Clones are the same network.
///
/// # Examples
///
/// A connection that is idle for too long is closed, in no time:
///
/// ```
/// use std::time::Duration;
/// use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
/// use neap::test::{Clock, Network};
/// use neap::{Group, net};
///
/// let (network, clock) = (Network::new(), Clock::new());
/// let mut group = Group::new().clock(&clock);
/// let waits = clock.clone();
/// let server = net::serve(network.listen(80), move |mut stream: net::Stream, _| {
///     let waits = waits.clone();
///     async move {
///         waits.sleep(Duration::from_secs(75)).await;
///         stream.write_all(b"too late").await
///     }
/// });
/// group.add("server", server);
/// let handle = group.handle();
/// let test = async {
///     handle.started().await.unwrap();
///     let mut client = network.connect(80).await.unwrap();
///     let mut said = String::new();
///     client.read_to_string(&mut said).await.unwrap();
///     assert_eq!(said, "too late");
///     handle.stop();
/// };
/// clock.block_on(future::zip(group.run(), test)).0?;
/// # Ok::<(), neap::Error>(())
/// ```
#[derive(Clone)]
pub struct Network {
    wire: Arc<Wire>,
    ports: Arc<Mutex<Ports>>,
}

#[derive(Default)]
struct Ports {
    listening: BTreeMap<u16, Arc<Port>>,
    /// How many connections there have been.
    connections: u16,
}

impl Network {
    /// Makes a network, on which each direction of a connection holds 64 KiB that were not read, and all
    /// that is sent arrives at once.
    pub fn new() -> Network {
        Network::with_wire(Wire::new(CAPACITY, None))
    }

    /// Makes a network, on which each direction of a connection holds this many bytes that were not
    /// read; at least 1. With 1, every byte is an operation of its own.
    pub fn with_capacity(bytes: usize) -> Network {
        Network::with_wire(Wire::new(bytes.max(1), None))
    }

    /// Makes a network, on which all that is sent arrives after this time by the clock: half of a round
    /// trip. Each direction of a connection holds 64 KiB.
    ///
    /// So a connection has begun for its client when [`connect`](Network::connect) returns, a round trip
    /// after the call, and can be accepted half a round trip later still.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use neap::test::{Clock, Network};
    ///
    /// let clock = Clock::new();
    /// let network = Network::with_delay(Duration::from_millis(5), &clock);
    /// let (listeners, start) = (network.listen(80).bind()?, clock.now());
    /// clock.block_on(network.connect(80))?;
    /// assert_eq!(clock.now() - start, Duration::from_millis(10));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn with_delay(delay: Duration, clock: &Clock) -> Network {
        let delay = Some((delay, clock.clone()));
        Network::with_wire(Wire::new(CAPACITY, delay))
    }

    /// Makes a network with a capacity and a delay.
    #[cfg(feature = "http")]
    pub(crate) fn with_both(bytes: usize, delay: Duration, clock: &Clock) -> Network {
        let delay = Some((delay, clock.clone()));
        Network::with_wire(Wire::new(bytes.max(1), delay))
    }

    fn with_wire(wire: Wire) -> Network {
        Network {
            wire: Arc::new(wire),
            ports: Arc::default(),
        }
    }

    /// Returns the address of a port for a server to listen on. Clients connect to it from now on, and
    /// wait until the server accepts. With port 0 a free one is chosen.
    ///
    /// If the port is taken, the server fails with `AddrInUse` when it binds the address.
    pub fn listen(&self, port: u16) -> Address {
        let mut ports = self.lock();
        let free = || (49_152..=u16::MAX).find(|port| ports.is_free(*port));
        let number = if port == 0 { free().unwrap_or(0) } else { port };
        let address = SocketAddr::from((SERVER, number));
        if !ports.is_free(number) {
            return Address::taken(address);
        }
        let port = Arc::new(Port::default());
        ports.listening.insert(number, Arc::clone(&port));
        Address::memory(PortListener {
            wire: Arc::clone(&self.wire),
            port,
            address,
            wait: Mutex::default(),
        })
    }

    /// Connects to a port, and returns the client's end of the connection. It is ready at once, unless
    /// the network has a delay.
    ///
    /// # Errors
    ///
    /// `ConnectionRefused` if nobody listens on the port, or no longer.
    pub async fn connect(&self, port: u16) -> io::Result<Stream> {
        self.wire.note(Side::Client, Operation::Connect);
        self.wire.travel().await;
        let result = self.open(port);
        self.wire.travel().await;
        result
    }

    /// Begins a connection, whose first segment has arrived.
    fn open(&self, port: u16) -> io::Result<Stream> {
        let (found, client) = {
            let mut ports = self.lock();
            ports.connections = ports.connections.wrapping_add(1);
            let client = SocketAddr::from((CLIENT, ports.connections));
            (ports.listening.get(&port).cloned(), client)
        };
        let found = found.ok_or(io::ErrorKind::ConnectionRefused)?;
        let (here, there) = End::pair(&self.wire);
        // The last segment of the handshake arrives a round trip later.
        let established = self.wire.later(self.wire.arrival());
        found.connect(established, there, client)?;
        let server = Endpoint::Tcp((SERVER, port).into());
        Ok(Stream::memory(here, Endpoint::Tcp(client), server))
    }

    /// Returns how many ends of connections are open, on both sides: 0 once all were dropped.
    pub fn open_ends(&self) -> usize {
        self.wire.open_ends()
    }

    /// Has a function called before each operation. Without effect if there is one already.
    #[cfg(feature = "http")]
    pub(crate) fn observe(&self, observer: impl Fn(Side, Operation) + Send + Sync + 'static) {
        self.wire.observe(Box::new(observer));
    }

    fn lock(&self) -> MutexGuard<'_, Ports> {
        lock(&self.ports)
    }
}

impl Ports {
    fn is_free(&self, port: u16) -> bool {
        self.listening
            .get(&port)
            .is_none_or(|port| port.is_closed())
    }
}

impl Default for Network {
    fn default() -> Network {
        Network::new()
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports: Vec<_> = self.lock().listening.keys().copied().collect();
        f.debug_struct("Network")
            .field("ports", &ports)
            .field("open_ends", &self.open_ends())
            .finish()
    }
}
