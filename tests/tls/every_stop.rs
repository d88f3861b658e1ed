//! Every stop of a server with TLS: at each moment of each kind of exchange, its handshake included.

use std::time::Duration;

use neap::http::{self, Server};
use neap::net::Certificates;
use neap::test::{Exchange, every_stop};

use crate::axum_app;
use crate::pems::Pems;

const GET: &str = "GET /hello HTTP/1.1\r\nhost: a\r\n\r\n";

/// How many bytes are on their way at once, at the least. A handshake has some 1,500 in either direction.
const SMALL: usize = if cfg!(debug_assertions) { 300 } else { 13 };

/// Tries every stop of an exchange: in segments of many bytes, of few, and across a link.
#[track_caller]
fn check(exchange: Exchange) {
    let exchange = exchange.tls(&Pems::usual().chain).unwrap();
    check_with(&exchange);
    check_with(&exchange.clone().window(SMALL));
    check_with(&exchange.delay(Duration::from_millis(5)));
}

#[track_caller]
fn check_with(exchange: &Exchange) {
    let Pems { chain, key } = Pems::usual();
    let certificates = Certificates::from_pem(chain, key).unwrap();
    let stops = every_stop(exchange, |site| {
        let (clock, handle) = (site.clock, site.handle);
        let app = axum_app::app(axum_app::Endpoints { clock, handle });
        Server::new(http::service(app), site.address).tls(&certificates)
    });
    eprintln!("{exchange}: {}", stops.unwrap());
}

/// Behind a proxy: its header is in front of the handshake, in the clear.
#[cfg(feature = "proxy-protocol")]
#[test]
fn i12_behind_a_proxy() {
    let header = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
    let exchange = Exchange::new("behind a proxy")
        .preamble(header)
        .request(GET);
    let exchange = exchange.answer_of(200).request(GET).answer_of(200);
    let exchange = exchange.tls(&Pems::usual().chain).unwrap();
    let proxies = neap::net::ProxyProtocol::from_peers(["10.0.0.2"]).unwrap();
    let Pems { chain, key } = Pems::usual();
    let certificates = Certificates::from_pem(chain, key).unwrap();
    for exchange in [
        exchange.clone(),
        exchange.clone().window(SMALL),
        exchange.delay(Duration::from_millis(5)),
    ] {
        let stops = every_stop(&exchange, |site| {
            let (clock, handle) = (site.clock, site.handle);
            let app = axum_app::app(axum_app::Endpoints { clock, handle });
            let server = Server::new(http::service(app), site.address).tls(&certificates);
            server.proxy_protocol(&proxies)
        });
        eprintln!("{exchange}: {}", stops.unwrap());
    }
    assert_eq!(proxies.refused(), 0);
}

fn post(fields: &str) -> String {
    format!("POST /read HTTP/1.1\r\nhost: a\r\n{fields}\r\n")
}

#[test]
fn i12_a_connection_per_request() {
    check(Exchange::new("fresh").request(GET).answer_of(200));
}

#[test]
fn i12_back_to_back() {
    let twice = Exchange::new("back to back").request(GET).answer_of(200);
    check(twice.request(GET).answer_of(200));
}

#[test]
fn i12_after_a_long_pause() {
    let pause = Duration::from_secs(30);
    let twice = Exchange::new("a long pause").request(GET).answer_of(200);
    check(twice.pause(pause).request(GET).answer_of(200));
}

#[test]
fn i12_late() {
    let pause = Duration::from_millis(900);
    check(
        Exchange::new("late")
            .pause(pause)
            .request(GET)
            .answer_of(200),
    );
    check(Exchange::new("silent").idle());
    check(Exchange::new("idle").request(GET).answer_of(200).idle());
}

#[test]
fn i12_pipelined() {
    let both = Exchange::new("pipelined").request(GET).request(GET);
    check(both.answer_of(200).answer_of(200));
}

#[test]
fn i12_an_upload() {
    let upload = Exchange::new("upload").request(post("content-length: 10\r\n"));
    let upload = upload.send("hello").pause(Duration::from_secs(1));
    check(
        upload
            .send("world")
            .answer_of(200)
            .request(GET)
            .answer_of(200),
    );
    let upload =
        Exchange::new("asked").request(post("content-length: 5\r\nexpect: 100-continue\r\n"));
    check(upload.continued().send("hello").answer_of(200));
}

#[test]
fn i12_an_upload_that_another_task_reads() {
    let upload = "POST /read-beside HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n";
    let upload = Exchange::new("read beside").request(upload).send("hello");
    let upload = upload.pause(Duration::from_secs(1)).send("world");
    check(upload.answer_of(200).request(GET).answer_of(200));
}

#[test]
fn i12_an_upload_that_nobody_reads() {
    let upload = "POST /unread HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n";
    let upload = Exchange::new("unread").request(upload).send("helloworld");
    check(upload.answer_of(405).request(GET).answer_of(200));
    let upload = "POST /unread HTTP/1.1\r\nhost: a\r\ncontent-length: 20\r\n\r\n";
    let pause = Duration::from_millis(100);
    let upload = Exchange::new("goes on").request(upload).send("helloworld");
    let upload = upload.pause(pause).send("helloworld").pause(pause);
    check(upload.answer_of(405));
}

#[test]
fn i12_bodies_of_each_kind() {
    let slow = "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n";
    check(Exchange::new("slow").request(slow).answer_of(200));
    let stream = "GET /stream HTTP/1.1\r\nhost: a\r\n\r\n";
    check(Exchange::new("chunks").request(stream).answer_of(200));
    let until_close = "GET /stream HTTP/1.0\r\n\r\n";
    check(
        Exchange::new("until close")
            .request(until_close)
            .answer_of(200),
    );
    let breaks = "GET /breaks HTTP/1.1\r\nhost: a\r\n\r\n";
    check(Exchange::new("breaks").request(breaks).cut_answer());
}

#[test]
fn i7_a_large_answer_to_a_slow_reader() {
    let large = Exchange::new("large").request("GET /large HTTP/1.1\r\nhost: a\r\n\r\n");
    let large = large.pause(Duration::from_secs(1)).answer_of(200);
    let large = large.tls(&Pems::usual().chain).unwrap();
    check_with(&large.clone().window(8192));
    check_with(&large.delay(Duration::from_millis(5)));
}

#[test]
fn i10_an_upgrade() {
    let upgrade =
        "GET /upgrade HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    let upgrade = Exchange::new("upgrade").request(upgrade).answer_of(101);
    check(upgrade.send("hello").read(5).finish());
}

#[test]
fn what_is_not_served_is_closed_well() {
    let bad = Exchange::new("bad").request("GET /\r\n\r\n");
    check(bad.closing_answer_of(400));
    let leaves = Exchange::new("leaves").request("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n");
    check(leaves.finish());
    let resets = Exchange::new("resets").request("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n");
    check(resets.reset());
}
