//! A proxy in front of the servers of the tests in `tests/http_proxied`: each client begins with its header.

use std::io::{Result, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};

use neap::http::Server;
use neap::net::ProxyProtocol;

/// Whether each client of this test binary begins with a header.
const IS_PROXIED: bool = matches!(env!("CARGO_CRATE_NAME").as_bytes(), b"http_proxied");

/// A header of each version, the second with a TLV of a type of one's own (0xE0).
const HEADERS: [&[u8]; 2] = [
    b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x10\xC0\x00\x02\x01\xC6\x33\x64\x01\xDC\x04\x01\xBB\xE0\x00\x01x",
];

/// Has a server require a header, if all do.
pub(super) fn require<A>(server: Server<A>) -> Server<A> {
    match IS_PROXIED {
        true => server.proxy_protocol(ProxyProtocol::from_peers(["127.0.0.0/8"]).unwrap()),
        false => server,
    }
}

/// Begins a connection with a header, if all do: of either version by turns.
pub(super) fn introduce(mut stream: &TcpStream) -> Result<()> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    if !IS_PROXIED {
        return Ok(());
    }
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    stream.write_all(HEADERS[next % 2])
}
