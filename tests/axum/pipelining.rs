//! The answers to many requests at once, with bodies of all sizes.

use http::{Request, Response};
use neap::http::{App, Body, Server, from_fn};

use crate::http_support::{Running, run};
use crate::runtimes::limited;
use crate::scripted::{Scripted, frames, pattern};

/// Below, at and above what is copied, what is gathered, and what a socket takes.
const SIZES: [usize; 16] = [
    0, 1, 8191, 8192, 8193, 9000, 15_000, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 100_000,
    131_072, 300_000,
];

/// Answers `/exact/N` with a body of n bytes, `/chunked/N` with the same in one chunk, and `/lying/N` with
/// one that has more bytes than it says.
fn app() -> impl App + 'static {
    from_fn(async |request: Request<Body>| {
        let (_, rest) = request.uri().path().split_at(1);
        let (kind, size) = rest.split_once('/').unwrap();
        let size = size.parse().unwrap();
        let body = match kind {
            "exact" => Scripted::new(frames(&[size])).claiming(size as u64),
            "lying" => Scripted::new(frames(&[size + 20_000])).claiming(size as u64),
            _ => Scripted::new(frames(&[size])),
        };
        Response::new(body)
    })
}

/// Sends many requests in one write, and compares each answer with what it is to be.
fn ask(running: &Running, paths: &[(&str, usize)]) {
    let mut client = running.connect();
    let request =
        |(kind, size): &(&str, usize)| format!("GET /{kind}/{size} HTTP/1.1\r\nhost: a\r\n\r\n");
    client.send(paths.iter().map(request).collect::<String>());
    for (kind, size) in paths {
        let answer = client.answer();
        assert_eq!(answer.status, 200, "{kind} {size} of {paths:?}");
        assert!(
            answer.body == pattern(0, *size),
            "{kind} {size} of {paths:?}: {} bytes",
            answer.body.len()
        );
    }
}

/// Runs a test beside a server, which it is to leave well.
fn beside(test: fn(&Running)) {
    limited(move || {
        let running = run(Server::new(app(), "127.0.0.1:0"));
        test(&running);
        let ended = running.stop();
        assert!(ended.report.is_clean(), "{ended:?}");
    });
}

#[test]
fn the_answers_to_requests_at_once_come_in_order_whatever_their_size() {
    beside(|running| {
        for kind in ["exact", "chunked", "lying"] {
            for size in SIZES {
                ask(running, &[(kind, size); 3]);
            }
        }
    });
}

#[test]
fn answers_of_different_sizes_and_framings_follow_each_other() {
    beside(|running| {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..30 {
            let path = |_| {
                let kind = random.choice(["exact", "chunked", "lying"]).unwrap();
                (kind, *random.choice(&SIZES).unwrap())
            };
            ask(running, &(0..12).map(path).collect::<Vec<_>>());
        }
    });
}
