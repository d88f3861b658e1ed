//! Serving connections of any protocol, and draining them.
//!
//! [`serve`] is a service that accepts connections and gives each to a handler. When it is told to
//! stop, it refuses new connections, takes those that clients have already, closes its listeners, and
//! ends once the last handler has returned. Each handler holds a [stop token](crate::StopToken), and
//! ends where its protocol allows it. At the deadline of the service the group drops the handlers
//! that are left.
//!
//! From the top:
//!
//! - [`serve`] and [`Server`]: the service.
//! - [`Address`]: where to listen. TCP, Unix sockets, several of them, sockets bound already, also by systemd, or what
//!   the [environment](Address::from_env) says.
//! - [`Listeners`]: the bound sockets. They accept, and close without losing a connection.
//! - [`Stream`]: one accepted connection. An [`Endpoint`] is the address of either end of it.
//! - [`Certificates`], [`ClientAuthorities`] and [`TlsConfig`], with the feature `tls`: [the guide](crate::guide::tls) has a page on them.
//! - [`ProxyProtocol`] and [`ProxyInfo`], with the feature `proxy-protocol`: the address of a client, said by the proxy in front.
//!
//! # Examples
//!
//! ```
//! use futures_lite::{AsyncBufReadExt, AsyncWriteExt, StreamExt, io::BufReader};
//! use neap::{Group, net};
//!
//! # futures_lite::future::block_on(async {
//! let mut group = Group::new();
//! let echo = net::serve("127.0.0.1:0", |stream: net::Stream, token| async move {
//!     let mut lines = BufReader::new(&stream).lines();
//!     while let Some(Some(line)) = token.run_until_stopped(lines.next()).await {
//!         (&stream).write_all(format!("{}\n", line?).as_bytes()).await?;
//!     }
//!     std::io::Result::Ok(())
//! });
//! group.add("echo", echo);
//! # group.handle().stop();
//! group.run().await?;
//! # Ok::<_, neap::Error>(())
//! # }).unwrap();
//! ```

// Bind.
pub(crate) mod address;
pub(crate) mod binding;
pub(crate) mod endpoint;
mod ends;
mod from_env;
mod listener;
pub(crate) mod listeners;
mod passed;
mod raw_socket;
#[cfg(unix)]
mod socket_file;

// Accept, count.
mod accept_error;
pub(crate) mod accept_loop;
mod accept_run;
pub(crate) mod connections;
pub(crate) mod seldom;
pub(crate) mod stream;
mod stream_io;
#[cfg(all(feature = "http", any(target_os = "linux", target_os = "android")))]
mod unsent;

// Who the client is, said by the proxy in front.
#[cfg(feature = "proxy-protocol")]
mod introducing;
#[cfg(feature = "proxy-protocol")]
pub(crate) mod proxy;

// TLS above a socket.
#[cfg(feature = "tls")]
pub(crate) mod tls;

// Without a kernel, for tests.
pub(crate) mod memory;

// Refuse, close, drain.
pub(crate) mod accept_rest;
pub(crate) mod closing;
mod handshakes;
mod intake;
mod outlook;
pub(crate) mod server;
mod syn_refusal;

pub use address::Address;
pub use endpoint::Endpoint;
pub use listeners::Listeners;
#[cfg(feature = "proxy-protocol")]
pub use proxy::{ProxyInfo, ProxyProtocol};
pub use server::{Server, Serving, serve};
pub use stream::Stream;
#[cfg(feature = "tls")]
pub use tls::{Certificates, ClientAuthorities, TlsConfig, TlsInfo};
