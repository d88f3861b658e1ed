//! The PROXY protocol, versions 1 and 2: the address of a client, said by the proxy in front.
//!
//! From the top:
//!
//! - [`ProxyProtocol`]: from which peers a header is required, for how long it is waited for, and what becomes of others.
//! - [`ProxyInfo`]: what a handler can ask about the proxy.
//! - [`Introducer`]: the two, as a server of `net` has them.
//! - `introduction`: reading the header of a connection that was accepted, within its limits.
//! - `header`: the header itself, without I/O. `network`: the networks that proxies are in.

mod header;
mod introducer;
pub(crate) mod introduction;
mod network;
pub(super) mod proxy_info;
mod proxy_protocol;

pub(super) use self::introducer::Introducer;
pub use self::proxy_info::ProxyInfo;
pub use self::proxy_protocol::ProxyProtocol;
