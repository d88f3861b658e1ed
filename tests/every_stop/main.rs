//! Every stop of a server: at each moment of each kind of exchange, on a network in memory.
//!
//! `cargo test --release --all-features --test every_stop -- --nocapture` prints how many stops each kind
//! has: in a release build there is one between any two bytes.

#![cfg(feature = "http")]

mod axum_app;
#[cfg(feature = "proxy-protocol")]
mod proxied;
#[cfg(feature = "tide")]
mod tide_app;

use std::time::Duration;

use neap::http::{self, Server};
use neap::test::{Exchange, Site, every_stop};

const GET: &str = "GET /hello HTTP/1.1\r\nhost: a\r\n\r\n";

/// How many bytes are on their way at once, at the least.
const SMALL: usize = if cfg!(debug_assertions) { 16 } else { 1 };

/// Tries every stop of an exchange: in segments of many bytes, of few, and across a link.
#[track_caller]
fn check(exchange: &Exchange) {
    check_with(exchange);
    check_with(&exchange.clone().window(SMALL));
    check_with(&exchange.clone().delay(Duration::from_millis(5)));
    #[cfg(feature = "proxy-protocol")]
    proxied::check(exchange);
}

/// Tries every stop of an exchange, with an app of each kind.
#[track_caller]
fn check_with(exchange: &Exchange) {
    let stops = every_stop(exchange, |site| {
        let (clock, handle) = (site.clock, site.handle);
        let app = axum_app::app(axum_app::Endpoints { clock, handle });
        Server::new(http::service(app), site.address)
    });
    eprintln!("{exchange}, axum: {}", stops.unwrap());
    #[cfg(feature = "tide")]
    check_with_tide(exchange);
}

/// Tries it with a tide app, on a server of its own and behind an axum `Router`.
#[cfg(feature = "tide")]
#[track_caller]
fn check_with_tide(exchange: &Exchange) {
    let stops = every_stop(exchange, |site| {
        let (clock, handle) = (site.clock, site.handle);
        Server::new(tide_app::Endpoints { clock, handle }, site.address)
    });
    eprintln!("{exchange}, tide: {}", stops.unwrap());
    let stops = every_stop(exchange, |site| {
        let (clock, handle) = (site.clock, site.handle);
        let app = http::tide_service(tide_app::Endpoints { clock, handle });
        let router = axum::Router::new().fallback_service(app);
        Server::new(http::service(router), site.address)
    });
    eprintln!("{exchange}, tide behind axum: {}", stops.unwrap());
}

fn post(fields: &str) -> String {
    format!("POST /read HTTP/1.1\r\nhost: a\r\n{fields}\r\n")
}

#[test]
fn i12_a_connection_per_request() {
    check(&Exchange::new("fresh").request(GET).answer_of(200));
}

#[test]
fn i12_back_to_back() {
    let twice = Exchange::new("back to back").request(GET).answer_of(200);
    check(&twice.request(GET).answer_of(200));
}

#[test]
fn i12_after_a_pause() {
    let pause = Duration::from_millis(500);
    let twice = Exchange::new("a pause")
        .request(GET)
        .answer_of(200)
        .pause(pause);
    check(&twice.request(GET).answer_of(200));
}

#[test]
fn i12_after_a_long_pause() {
    let pause = Duration::from_secs(30);
    let twice = Exchange::new("a long pause").request(GET).answer_of(200);
    check(&twice.pause(pause).request(GET).answer_of(200));
}

#[test]
fn i12_idle() {
    check(&Exchange::new("idle").request(GET).answer_of(200).idle());
}

#[test]
fn i12_silent() {
    check(&Exchange::new("silent").idle());
    let pause = Duration::from_millis(900);
    check(
        &Exchange::new("late")
            .pause(pause)
            .request(GET)
            .answer_of(200),
    );
}

#[test]
fn i12_pipelined() {
    let both = Exchange::new("pipelined").request(GET).request(GET);
    check(&both.answer_of(200).answer_of(200));
    // The second is on its way when the first is answered; nothing is read until both were sent.
    let late = Exchange::new("pipelined late").request(GET);
    let late = late.pause(Duration::from_millis(3)).request(GET);
    let late = late.pause(Duration::from_millis(100));
    check(&late.answer_of(200).answer_of(200));
}

#[test]
fn i12_many_pipelined() {
    let post = post("content-length: 5\r\n") + "hello";
    let slow = "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n";
    // More than are answered before the others have their turn, and one that is waited for.
    let requests = [&[GET; 20][..], &[&post, slow, GET]].concat();
    let many = Exchange::new("many pipelined");
    let many = requests.iter().fold(many, Exchange::request);
    let many = requests.iter().fold(many, |many, _| many.answer_of(200));
    check_with(&many);
    check_with(&many.delay(Duration::from_millis(5)));
}

#[test]
fn i12_an_empty_line_behind_a_body() {
    let upload = post("content-length: 5\r\n") + "hello\r\n";
    let upload = Exchange::new("an empty line").request(upload);
    check(&upload.answer_of(200).request(GET).answer_of(200));
}

#[test]
fn i12_half_a_head() {
    let (first, rest) = GET.split_at(20);
    let half = Exchange::new("half a head").request(first);
    check(&half.pause(Duration::from_secs(1)).send(rest).answer_of(200));
}

#[test]
fn i12_an_upload() {
    let upload = Exchange::new("upload").request(post("content-length: 10\r\n"));
    let upload = upload.send("hello").pause(Duration::from_secs(1));
    check(
        &upload
            .send("world")
            .answer_of(200)
            .request(GET)
            .answer_of(200),
    );
}

#[test]
fn i12_a_chunked_upload() {
    let upload = Exchange::new("chunks").request(post("transfer-encoding: chunked\r\n"));
    let upload = upload.send("5\r\nhello\r\n").pause(Duration::from_secs(1));
    check(
        &upload
            .send("5;a=b\r\nworld\r\n0\r\nx: y\r\n\r\n")
            .answer_of(200)
            .request(GET)
            .answer_of(200),
    );
}

#[test]
fn i12_an_upload_that_another_task_reads() {
    let upload = "POST /read-beside HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n";
    let upload = Exchange::new("read beside").request(upload).send("hello");
    let upload = upload.pause(Duration::from_secs(1)).send("world");
    check(&upload.answer_of(200).request(GET).answer_of(200));
}

#[test]
fn i12_an_upload_that_nobody_reads() {
    let upload = "POST /unread HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n";
    let upload = Exchange::new("unread").request(upload).send("helloworld");
    check(&upload.answer_of(405).request(GET).answer_of(200));
}

#[test]
fn i12_an_upload_that_goes_on_behind_its_answer() {
    let upload = "POST /unread HTTP/1.1\r\nhost: a\r\ncontent-length: 20\r\n\r\n";
    let pause = Duration::from_millis(100);
    let upload = Exchange::new("goes on").request(upload).send("helloworld");
    let upload = upload.pause(pause).send("helloworld").pause(pause);
    check(&upload.answer_of(405));
}

#[test]
fn i12_a_request_behind_an_upload_that_nobody_reads() {
    // The answer is there before the rest of the body, and says nothing of a close.
    let upload = "POST /unread HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n";
    let upload = Exchange::new("behind").request(upload).send("hello");
    let upload = upload.pause(Duration::from_millis(300)).send("world");
    check(&upload.answer_of(405).request(GET).answer_of(200));
}

#[test]
fn i12_an_answer_amid_an_upload() {
    let rest = |exchange: Exchange, rest: &str| {
        let next = exchange.answer_of(405).send(rest).request(GET);
        check(&next.answer_of(200));
    };
    let unread = "POST /unread HTTP/1.1\r\nhost: a\r\n";
    let length = format!("{unread}content-length: 10\r\n\r\nhello");
    rest(Exchange::new("amid an upload").request(length), "world");
    let chunks = format!("{unread}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n");
    let last = "5\r\nworld\r\n0\r\n\r\n";
    rest(Exchange::new("amid chunks").request(chunks), last);
    // All of it in one go, in many segments.
    let body = "x".repeat(3000);
    let upload = format!("{unread}content-length: 3000\r\n\r\n{body}");
    let upload = Exchange::new("in one go").request(upload).answer_of(405);
    let upload = upload.request(GET).answer_of(200).window(700);
    check_with(&upload.delay(Duration::from_millis(5)));
}

#[test]
fn i14_chunks_of_one_byte() {
    let upload = Exchange::new("chunks of a byte").request(post("transfer-encoding: chunked\r\n"));
    // More than one connection may do before the others have their turn.
    let chunks = "1\r\nx\r\n".repeat(3000);
    check_with(&upload.send(chunks).send("0\r\n\r\n").answer_of(200));
}

#[test]
fn i12_an_upload_on_demand() {
    let head = post("content-length: 5\r\nexpect: 100-continue\r\n");
    let upload = Exchange::new("on demand").request(head).continued();
    check(&upload.send("hello").answer_of(200));
    let refused =
        "POST /unread HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n";
    check(&Exchange::new("not wanted").request(refused).answer_of(405));
}

#[test]
fn i12_an_upload_that_does_not_wait_for_its_demand() {
    let head = post("content-length: 5\r\nexpect: 100-continue\r\n");
    // Half of the question is on its way when the body comes.
    let upload = Exchange::new("not waited for").window(12).request(head);
    let upload = upload.pause(Duration::from_millis(10)).send("hello");
    check_with(&upload.answer_of(200).request(GET).answer_of(200));
}

#[test]
fn i12_an_upload_on_demand_of_the_response() {
    let fields = "host: a\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n";
    let echo = Exchange::new("on demand of the response")
        .request(format!("POST /echo HTTP/1.1\r\n{fields}"))
        .continued();
    check(&echo.send("hello").answer_of(200));
    // In small segments, the answer is there before all of the question is on its way.
    let early = Exchange::new("an early answer")
        .request(format!("POST /impatient HTTP/1.1\r\n{fields}"))
        .answer_of(200);
    check(&early);
}

#[test]
fn i12_a_slow_handler() {
    let slow = "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n";
    check(
        &Exchange::new("slow")
            .request(slow)
            .answer_of(200)
            .request(GET)
            .answer_of(200),
    );
}

#[test]
fn i12_a_long_poll_that_ends_at_the_stop() {
    let poll = "GET /until-stop HTTP/1.1\r\nhost: a\r\n\r\n";
    check(
        &Exchange::new("long poll")
            .answers_may_differ()
            .request(poll)
            .answer_of(200),
    );
}

#[test]
fn i12_a_stream() {
    let stream = "GET /stream HTTP/1.1\r\nhost: a\r\n\r\n";
    check(
        &Exchange::new("stream")
            .request(stream)
            .answer_of(200)
            .request(GET)
            .answer_of(200),
    );
}

#[test]
fn i12_an_answer_that_breaks_off() {
    for version in ["1.1", "1.0"] {
        let breaks = format!("GET /breaks HTTP/{version}\r\nhost: a\r\n\r\n");
        check(&Exchange::new("breaks").request(breaks).cut_answer());
    }
}

#[test]
fn i12_a_large_answer() {
    let large = "GET /large HTTP/1.1\r\nhost: a\r\n\r\n";
    let large = Exchange::new("large").request(large).answer_of(200);
    check_with(&large.clone().window(64 * 1024));
    check_with(&large.window(10_000));
}

#[test]
fn i12_an_answer_that_is_read_late() {
    let large = "GET /large HTTP/1.1\r\nhost: a\r\n\r\n";
    // The client asks again before it reads, when the server has closed its side.
    let late = Exchange::new("read late").window(1024 * 1024);
    let late = late.request(large).pause(Duration::from_secs(1));
    check_with(&late.request(GET).answer_of(200).answer_of(200));
}

#[test]
fn i12_head() {
    let head = "HEAD /hello HTTP/1.1\r\nhost: a\r\n\r\n";
    check(
        &Exchange::new("HEAD")
            .request(head)
            .answer_of(200)
            .request(GET)
            .answer_of(200),
    );
}

/// The grace of an idle connection begins when the last answer has left, also behind an empty line.
#[test]
fn i12_an_answer_that_is_taken_slowly() {
    let page = "GET /page HTTP/1.1\r\nhost: a\r\n\r\n";
    for (name, line) in [("taken slowly", ""), ("taken slowly, a line", "\r\n")] {
        let exchange = Exchange::new(name).request(format!("{page}{line}"));
        let exchange = exchange.pause(Duration::from_millis(1500)).answer_of(200);
        let exchange = exchange.request(GET).answer_of(200);
        let exchange = exchange.delay(Duration::from_millis(5));
        check_with(&exchange.clone().window(700));
        check_with(&exchange.window(64 * 1024));
    }
}

#[test]
fn i12_http_1_0() {
    let kept = "GET /hello HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
    check(
        &Exchange::new("1.0, kept")
            .request(kept)
            .answer_of(200)
            .request(kept)
            .answer_of(200),
    );
    check(
        &Exchange::new("1.0")
            .request("GET /hello HTTP/1.0\r\n\r\n")
            .answer_of(200),
    );
    check(
        &Exchange::new("1.0, a stream")
            .request("GET /stream HTTP/1.0\r\n\r\n")
            .answer_of(200),
    );
}

#[test]
fn i12_a_client_that_closes() {
    let last = "GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    check(&Exchange::new("closes").request(last).answer_of(200));
    check(
        &Exchange::new("half-closed")
            .request(GET)
            .finish()
            .answer_of(200),
    );
    check(&Exchange::new("finished").finish().idle());
}

#[test]
fn i12_a_client_that_resets() {
    let upload = post("content-length: 10\r\n");
    check(
        &Exchange::new("resets")
            .request(upload)
            .send("hello")
            .reset(),
    );
    let slow = "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n";
    check(&Exchange::new("leaves").request(slow).reset());
}

#[test]
fn i12_what_is_refused() {
    let bad = "GET /hello HTTP/1.1\r\n\r\n";
    check(&Exchange::new("no host").request(bad).answer_of(400));
    let none = "GET /nothing HTTP/1.1\r\nhost: a\r\n\r\n";
    check(
        &Exchange::new("not found")
            .request(none)
            .answer_of(404)
            .request(GET)
            .answer_of(200),
    );
}

#[test]
fn i12_events() {
    let events = "GET /events HTTP/1.1\r\nhost: a\r\n\r\n";
    check(
        &Exchange::new("events")
            .answers_may_differ()
            .request(events)
            .answer_of(200),
    );
    let enough = Exchange::new("enough events").answers_may_differ();
    check(&enough.request(events).read(100));
}

#[test]
fn i12_an_upgrade() {
    let upgrade =
        "GET /upgrade HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    let upgrade = Exchange::new("upgrade").request(upgrade).answer_of(101);
    check(&upgrade.send("hello").read(5).finish().idle());
}

#[test]
fn what_was_not_tried_is_an_error() {
    let app = || http::service(axum::Router::new());
    let elsewhere = |_| Server::new(app(), "127.0.0.1:0");
    let broken = every_stop(&Exchange::new("elsewhere").request(GET).answer(), elsewhere);
    let broken = broken.unwrap_err();
    assert_eq!(broken.moment(), None);
    assert!(broken.to_string().contains("refused"), "{broken}");
}

#[test]
fn what_spins_is_an_error() {
    let busy = |site: Site| {
        let app = http::from_fn(|_| async {
            loop {
                futures_lite::future::yield_now().await;
            }
            #[expect(unreachable_code, reason = "it says what the app returns")]
            axum::http::Response::new(String::new())
        });
        Server::new(app, site.address)
    };
    let broken = every_stop(&Exchange::new("busy").request(GET).answer(), busy);
    let broken = broken.unwrap_err().to_string();
    assert!(broken.contains("spins"), "{broken}");
}
