//! The PROXY protocol on `net` and `http`: who the client is, who may say so, and for how long a header is waited
//! for.
//!
//! That nothing is lost at a stop is tried by `tests/every_stop` and `tests/http_proxied`, the header itself by
//! its unit tests.

#![cfg(all(feature = "http", feature = "proxy-protocol"))]

#[path = "../http_support/in_memory.rs"]
#[allow(dead_code, unreachable_pub)]
mod in_memory;

mod addresses;
mod limits;
mod others;
mod sockets;

use axum::{Extension, Router, routing::get};
use neap::http::{self, App, RequestContext, Server};
use neap::net::{Address, ProxyProtocol};

/// A header of each version, of the same client.
const V1: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
const V2: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0C\xC0\x00\x02\x01\xC6\x33\x64\x01\xDC\x04\x01\xBB";
/// What a balancer sends in front of a health check.
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";

const GET: &[u8] = b"GET /who HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

/// The client of a network in memory.
const PEER: &str = "10.0.0.2";

fn proxies(peer: &str) -> ProxyProtocol {
    ProxyProtocol::from_peers([peer]).unwrap()
}

/// Says who the client is: a server by way of axum.
fn who(address: Address) -> Server<impl App> {
    let who = async |Extension(context): Extension<RequestContext>| {
        let proxy = context.proxy();
        let proxy = proxy.map(|proxy| (proxy.addr(), proxy.local_addr(), proxy.has_client()));
        in_words(context.peer(), context.local(), proxy)
    };
    Server::new(
        http::service(Router::new().route("/who", get(who))),
        address,
    )
}

type Seen<'s> = Option<(&'s neap::net::Endpoint, &'s neap::net::Endpoint, bool)>;

fn in_words(peer: &neap::net::Endpoint, local: &neap::net::Endpoint, proxy: Seen<'_>) -> String {
    match proxy {
        Some((proxy, arrived, has_client)) => {
            format!("{peer} at {local} by {proxy} at {arrived}, {has_client}")
        }
        None => format!("{peer} at {local}"),
    }
}
