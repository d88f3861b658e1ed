//! A lame duck that ends once its load balancer has noticed, by a clock that moves by itself.

use std::time::Duration;

use neap::Group;
use neap::http::Server;

use crate::door::app;
use crate::http_support::in_memory::{Site, at_once, serve_in};
use crate::runtimes::limited;

/// The limit of the lame-duck time, and the quiet time.
const MOST: Duration = Duration::from_secs(30);
const QUIET: Duration = Duration::from_millis(500);
/// How often a balancer sends a request, and a check, in milliseconds.
const EACH: u64 = 100;
const CHECK: u64 = 250;

/// What a balancer does after the stop, in milliseconds from it.
struct Balancer {
    /// When it checks for the first time; after that each 250 ms.
    checks_from: u64,
    /// When it sends its last request.
    sends_until: u64,
}

/// Returns how long the lame-duck time was, after which a connect is refused.
fn lame_duck(balancer: Balancer) -> Duration {
    let server = |address| {
        let server = Server::new(app(), address).lame_duck(MOST);
        server.lame_duck_quiet(QUIET)
    };
    let story = async |site: Site| {
        site.handle.stop();
        let stop = site.clock.now();
        for now in (0..).step_by(50) {
            let sends = now <= balancer.sends_until && now % EACH == 0;
            let checks = now >= balancer.checks_from && now % CHECK == 0;
            let paths = [(sends, "/hello", "200"), (checks, "/ready", "503")];
            for (_, path, status) in paths.into_iter().filter(|(is_due, ..)| *is_due) {
                let Ok(mut client) = site.try_connect().await else {
                    assert!(
                        now > balancer.sends_until || now >= 30_000,
                        "refused at {now}"
                    );
                    return site.clock.now() - stop;
                };
                client
                    .send(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n"))
                    .await;
                let answer = client.answer().await;
                assert!(
                    answer.starts_with(&format!("HTTP/1.1 {status} ")),
                    "{answer}"
                );
            }
            if site
                .handle
                .status()
                .services()
                .iter()
                .all(|s| s.state().is_ended())
            {
                return site.clock.now() - stop;
            }
            site.sleep(50).await;
        }
        unreachable!()
    };
    let group = Group::new().drain_timeout(2 * MOST);
    let (ended, took) = serve_in(group, at_once(), server, story);
    ended.result.unwrap();
    took
}

#[test]
fn a_lame_duck_ends_when_its_balancer_has_noticed() {
    limited(|| {
        for seconds in [0, 1, 5, 15] {
            let took = lame_duck(Balancer {
                checks_from: 0,
                sends_until: seconds * 1000,
            });
            let most = Duration::from_secs(seconds) + QUIET + Duration::from_millis(200);
            assert!(took <= most, "{seconds}: {took:?}");
            assert!(
                took >= Duration::from_secs(seconds) + QUIET,
                "{seconds}: {took:?}"
            );
        }
    });
}

#[test]
fn a_balancer_that_was_not_told_has_not_noticed() {
    limited(|| {
        for (checks_from, sends_until) in [(4000, 0), (u64::MAX, 0)] {
            let took = lame_duck(Balancer {
                checks_from,
                sends_until,
            });
            let told = Duration::from_millis(checks_from).saturating_add(QUIET);
            let expected = told.min(MOST);
            assert!(
                took >= expected && took <= expected + Duration::from_millis(200),
                "{took:?}"
            );
        }
    });
}

#[test]
fn the_limit_holds_for_one_that_never_notices() {
    limited(|| {
        let took = lame_duck(Balancer {
            checks_from: 0,
            sends_until: 60_000,
        });
        assert!(
            took >= MOST && took <= MOST + Duration::from_millis(200),
            "{took:?}"
        );
    });
}
