//! The same exchanges, with a header of the PROXY protocol in front.

use std::time::Duration;

use neap::http::{self, Server};
use neap::net::ProxyProtocol;
use neap::test::{Exchange, every_stop};

use crate::{SMALL, axum_app};

/// A header of version 1 and one of version 2, the second with a TLV of a type of one's own (0xE0).
const HEADERS: [&[u8]; 2] = [
    b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x10\xC0\x00\x02\x01\xC6\x33\x64\x01\xDC\x04\x01\xBB\xE0\x00\x01x",
];

/// Tries every stop of an exchange behind each header: in segments of few bytes, and across a link.
#[track_caller]
pub(crate) fn check(exchange: &Exchange) {
    let [first, second] = HEADERS.map(|header| exchange.clone().preamble(header));
    check_with(&first.clone().window(SMALL));
    check_with(&first);
    check_with(&second.clone().window(SMALL));
    check_with(&second.delay(Duration::from_millis(5)));
}

#[track_caller]
fn check_with(exchange: &Exchange) {
    let proxies = ProxyProtocol::from_peers(["10.0.0.2"]).unwrap();
    let stops = every_stop(exchange, |site| {
        let (clock, handle) = (site.clock, site.handle);
        let app = axum_app::app(axum_app::Endpoints { clock, handle });
        Server::new(http::service(app), site.address).proxy_protocol(&proxies)
    });
    eprintln!("{exchange}, proxied: {}", stops.unwrap());
}
