//! Who the client is, through both doors and on `net`.

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use neap::net::{self, Stream};
use neap::test::{Clock, Network};
use neap::{Group, StopToken, http};

use crate::in_memory::{at_once, serve};
use crate::{GET, LOCAL, PEER, V1, V2, in_words, proxies, who};

/// Returns what a server says to a client that sends this at once.
fn answer<A: http::App + 'static>(
    server: impl FnOnce(net::Address) -> http::Server<A>,
    bytes: &[u8],
) -> String {
    let proxies = proxies(PEER);
    let server = |address| server(address).proxy_protocol(&proxies);
    let (ended, answer) = serve(at_once(), server, async |site| {
        let mut client = site.connect().await;
        client.send(bytes).await;
        let answer = client.end().await.unwrap();
        let local = client.stream.local_addr().to_string();
        answer.replace(&local, "the proxy")
    });
    ended.result.unwrap();
    assert_eq!(proxies.refused(), 0);
    answer
}

#[test]
fn the_peer_is_the_client_that_the_header_names() {
    for header in [V1, V2] {
        let answer = answer(who, &[header, GET].concat());
        let words = "192.0.2.1:56324 at 198.51.100.1:443 by the proxy at 10.0.0.1:80, true";
        assert!(answer.ends_with(words), "{answer}");
    }
    let v6 = b"PROXY TCP6 2001:db8::7 ::ffff:192.0.2.9 1 2\r\n";
    let answer = answer(who, &[v6, GET].concat());
    let words = "[2001:db8::7]:1 at [::ffff:192.0.2.9]:2 by the proxy at 10.0.0.1:80, true";
    assert!(answer.ends_with(words), "{answer}");
}

#[test]
fn the_addresses_are_the_sockets_if_the_header_names_nobody() {
    let unspecified = [&V2[..13], b"\0\0\0"].concat();
    let unknown: &[u8] = b"PROXY UNKNOWN\r\n";
    for header in [LOCAL, &unspecified, unknown] {
        let answer = answer(who, &[header, GET].concat());
        let words = "the proxy at 10.0.0.1:80 by the proxy at 10.0.0.1:80, false";
        assert!(answer.ends_with(words), "{answer}");
    }
}

#[test]
fn requests_that_are_pipelined_behind_the_header_are_answered() {
    let keep = b"GET /who HTTP/1.1\r\nhost: a\r\n\r\n";
    let answers = answer(who, &[V2, keep, keep, GET].concat());
    assert_eq!(
        answers.matches("192.0.2.1:56324 at").count(),
        3,
        "{answers}"
    );
}

#[cfg(feature = "tide")]
#[test]
fn a_tide_app_has_the_client_for_its_peer_and_its_remote() {
    use neap::http::{RequestContext, Server};

    let remote = async |request: tide::Request<()>| {
        let remote = request.remote().unwrap().to_owned();
        let peer = request.peer_addr().unwrap();
        let context = request.ext::<RequestContext>().unwrap();
        let proxy = context.proxy().unwrap().addr();
        Ok(format!(
            "{remote} is {peer} at {} for {}, by {proxy}",
            request.local_addr().unwrap(),
            request.url(),
        ))
    };
    let app = move || {
        let mut app = tide::new();
        app.at("/who").get(remote);
        app
    };
    let words =
        "192.0.2.1:56324 is 192.0.2.1:56324 at 198.51.100.1:443 for http://a/who, by the proxy";
    for header in [V1, V2] {
        let server = |address| Server::new(app(), address);
        let answered = answer(server, &[header, GET].concat());
        assert!(answered.ends_with(words), "{answered}");
        // And behind an axum `Router`.
        let server = |address| {
            let app = axum::Router::new().fallback_service(http::tide_service(app()));
            Server::new(http::service(app), address)
        };
        let answered = answer(server, &[header, GET].concat());
        assert!(answered.ends_with(words), "{answered}");
    }
}

async fn greet(mut stream: Stream, _: StopToken) -> std::io::Result<()> {
    let mut word = [0; 5];
    stream.read_exact(&mut word).await?;
    let proxy = stream.proxy();
    let proxy = proxy.map(|proxy| (proxy.addr(), proxy.local_addr(), proxy.has_client()));
    let words = in_words(stream.peer_addr(), stream.local_addr(), proxy);
    let words = format!("{}: {words}", String::from_utf8_lossy(&word));
    stream.write_all(words.as_bytes()).await
}

#[test]
fn a_handler_of_net_has_the_client_and_every_byte_behind_the_header() {
    for header in [V1, V2, LOCAL] {
        let (network, clock) = (Network::new(), Clock::new());
        let server = net::Server::new(network.listen(80), greet).proxy_protocol(proxies(PEER));
        let mut group = Group::new().clock(&clock);
        group.add("greet", server.into_service());
        let handle = group.handle();
        let client = async {
            let mut stream = network.connect(80).await.unwrap();
            stream
                .write_all(&[header, b"hello"].concat())
                .await
                .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            handle.stop();
            answer.replace(&stream.local_addr().to_string(), "the proxy")
        };
        let (ended, answer) = clock.block_on(future::zip(group.run(), client));
        ended.unwrap();
        assert_eq!(
            answer,
            match header {
                LOCAL => "hello: the proxy at 10.0.0.1:80 by the proxy at 10.0.0.1:80, false",
                _ => "hello: 192.0.2.1:56324 at 198.51.100.1:443 by the proxy at 10.0.0.1:80, true",
            }
        );
    }
}
