//! TLS above the socket of a connection.
//!
//! From the top:
//!
//! - [`Certificates`]: a certificate chain and its key, from PEM, which can be replaced while servers use them.
//! - [`ClientAuthorities`]: those that sign the certificates of clients, replaced in the same way.
//! - [`TlsConfig`]: what a server does with them. A [`TlsAcceptor`] makes the connections of one server.
//! - [`TlsSocket`]: a socket with a TLS session above it. It has the methods of a bare socket, so the
//!   [`Stream`](super::Stream) of either kind is one type. A [`TlsHandle`] is what a stream has of it.
//! - [`shake_hands`]: the handshake, within its limits. [`farewell`]: what is left to do once a handler has
//!   returned.
//!
//! It is rustls 0.23 with the provider ring. futures-rustls is not used: its streams need `&mut self` and a
//! waker for each read and write, while a `Stream` is read and written by reference, by several tasks,
//! and also tried without a waker.

mod certificates;
mod client_authorities;
pub(in crate::net) mod farewell;
pub(crate) mod handshake;
mod pem;
mod records;
mod sessions;
mod tls_acceptor;
#[cfg(feature = "http")]
mod tls_client;
mod tls_config;
mod tls_handle;
mod tls_info;
mod tls_session;
mod tls_socket;
mod writable;

pub use self::certificates::Certificates;
pub use self::client_authorities::ClientAuthorities;
pub(crate) use self::tls_acceptor::TlsAcceptor;
#[cfg(feature = "http")]
pub(crate) use self::tls_client::TlsClient;
pub use self::tls_config::TlsConfig;
pub(super) use self::tls_handle::TlsHandle;
pub use self::tls_info::TlsInfo;
pub(super) use self::tls_session::TlsSession;
pub(super) use self::tls_socket::TlsSocket;

#[cfg(all(test, feature = "http"))]
mod tests;
