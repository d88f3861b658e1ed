//! How long a header is waited for, before and in a drain.

use std::time::{Duration, Instant};

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use neap::net::{self, Stream};
use neap::test::{Clock, Network};
use neap::{Group, Handle, StopToken};

use crate::{GET, PEER, V1, V2, proxies, who};

const SECOND: Duration = Duration::from_secs(1);
const MILLIS: Duration = Duration::from_millis(1);

/// Which server is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Net,
    Http,
}

struct Site {
    network: Network,
    clock: Clock,
    handle: Handle<'static>,
}

impl Site {
    async fn connect(&self) -> Stream {
        self.network.connect(80).await.unwrap()
    }

    /// Reads to the end. Returns what has come, or nothing if the connection was reset, and when that was.
    async fn end(&self, stream: &mut Stream) -> (Option<String>, Instant) {
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer).await;
        (read.ok().map(|_| answer), self.clock.now())
    }
}

/// Says whether it was told to stop, once a request has come.
async fn answer(mut stream: Stream, token: StopToken) -> std::io::Result<()> {
    let mut request = [0; GET.len()];
    stream.read_exact(&mut request).await?;
    let words = format!("{}, {}", stream.peer_addr(), token.is_stopped());
    stream.write_all(words.as_bytes()).await
}

/// Runs a story beside a server of either kind. Returns how long the group went on after its stop.
fn beside_both(story: impl AsyncFn(&Site, Kind)) -> [Duration; 2] {
    [Kind::Net, Kind::Http].map(|kind| {
        let (network, clock) = (Network::new(), Clock::new());
        let mut group = Group::new().clock(&clock);
        let (address, proxies) = (network.listen(80), proxies(PEER));
        match kind {
            Kind::Net => {
                let server = net::Server::new(address, answer);
                group.add("net", server.proxy_protocol(proxies).into_service());
            }
            Kind::Http => {
                group.add("http", who(address).proxy_protocol(proxies).into_service());
            }
        }
        let site = Site {
            network: network.clone(),
            clock: clock.clone(),
            handle: group.handle(),
        };
        let story = async {
            site.handle.started().await.unwrap();
            story(&site, kind).await;
            site.handle.stop();
        };
        let stopped = async {
            site.handle.token().stopped().await;
            clock.now()
        };
        let group = async { (group.run().await, clock.now()) };
        let ((ended, ended_at), (stopped_at, ())) =
            clock.block_on(future::zip(group, future::zip(stopped, story)));
        ended.unwrap();
        assert_eq!(network.open_ends(), 0);
        ended_at - stopped_at
    })
}

#[test]
fn a_header_that_does_not_come_in_time_costs_its_connection() {
    for sent in [&b""[..], &V1[..1], &V1[..30], &V2[..12], &V2[..27]] {
        beside_both(async |site, kind| {
            let begun = site.clock.now();
            let mut stream = site.connect().await;
            stream.write_all(sent).await.unwrap();
            // A byte now and then gives it no more time.
            site.clock.sleep(SECOND).await;
            let (answer, at) = site.end(&mut stream).await;
            assert_eq!((answer, at - begun), (None, 5 * SECOND), "{kind:?}");
        });
    }
}

#[test]
fn a_header_may_come_in_parts() {
    for header in [V1, V2] {
        beside_both(async |site, kind| {
            let mut stream = site.connect().await;
            for byte in header {
                stream.write_all(&[*byte]).await.unwrap();
                site.clock.sleep(80 * MILLIS).await;
            }
            stream.write_all(GET).await.unwrap();
            let (answer, _) = site.end(&mut stream).await;
            let answer = answer.unwrap();
            assert!(answer.contains("192.0.2.1:56324"), "{kind:?} {answer}");
        });
    }
}

#[test]
fn a_drain_waits_for_a_peer_that_has_sent_nothing_as_for_any_new_connection() {
    let took = beside_both(async |site, _| {
        let mut stream = site.connect().await;
        site.clock.sleep(400 * MILLIS).await;
        site.handle.stop();
        site.end(&mut stream).await;
    });
    assert_eq!(took[0], 600 * MILLIS);
    assert!((600 * MILLIS..2 * SECOND).contains(&took[1]), "{took:?}");
    // If a part of it comes just before, there is the time of a head.
    beside_both(async |site, kind| {
        let mut stream = site.connect().await;
        site.clock.sleep(400 * MILLIS).await;
        site.handle.stop();
        site.clock.sleep(599 * MILLIS).await;
        stream.write_all(&V2[..5]).await.unwrap();
        site.clock.sleep(3 * SECOND).await;
        stream.write_all(&V2[5..]).await.unwrap();
        stream.write_all(GET).await.unwrap();
        let (answer, _) = site.end(&mut stream).await;
        assert!(answer.unwrap().contains("192.0.2.1:56324"), "{kind:?}");
    });
}

#[test]
fn a_client_whose_header_has_come_in_part_before_the_stop_is_served() {
    for header in [V1, V2] {
        for at in [1, 14, 15, 16, header.len() - 1] {
            beside_both(async |site, kind| {
                let mut stream = site.connect().await;
                stream.write_all(&header[..at]).await.unwrap();
                site.clock.sleep(SECOND).await;
                site.handle.stop();
                site.clock.sleep(2 * SECOND).await;
                stream
                    .write_all(&[&header[at..], GET].concat())
                    .await
                    .unwrap();
                let (answer, _) = site.end(&mut stream).await;
                let answer = answer.unwrap();
                let is_told = kind == Kind::Http || answer.ends_with(", true");
                assert!(answer.contains("192.0.2.1:56324") && is_told, "{answer}");
            });
        }
    }
    // But not for longer than a head.
    let took = beside_both(async |site, kind| {
        let mut stream = site.connect().await;
        site.clock.sleep(SECOND).await;
        stream.write_all(&V1[..20]).await.unwrap();
        site.clock.sleep(SECOND).await;
        site.handle.stop();
        let (answer, _) = site.end(&mut stream).await;
        assert_eq!(answer, None, "{kind:?}");
    });
    // The header's own time is shorter here: it has begun 2 s before.
    assert_eq!(took, [3 * SECOND; 2]);
}

#[test]
fn a_header_is_no_request_and_its_client_has_the_grace_of_a_new_one() {
    let took = beside_both(async |site, kind| {
        let mut stream = site.connect().await;
        stream.write_all(V2).await.unwrap();
        site.clock.sleep(500 * MILLIS).await;
        site.handle.stop();
        if kind == Kind::Net {
            // The handler has the connection: what it does at the stop is its own.
            drop(stream);
            return;
        }
        let (answer, _) = site.end(&mut stream).await;
        assert_eq!(answer.as_deref(), Some(""));
    });
    assert!((500 * MILLIS..2 * SECOND).contains(&took[1]), "{took:?}");
    beside_both(async |site, _| {
        let mut stream = site.connect().await;
        stream.write_all(V2).await.unwrap();
        site.clock.sleep(500 * MILLIS).await;
        site.handle.stop();
        site.clock.sleep(499 * MILLIS).await;
        stream.write_all(GET).await.unwrap();
        let (answer, _) = site.end(&mut stream).await;
        assert!(answer.unwrap().contains("192.0.2.1:56324"));
    });
}
