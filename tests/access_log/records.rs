//! Which records there are, through both doors.

use neap::http::{AccessLog, App};

use crate::http_support::{HandlerGate, axum_app, eventually};
use crate::keeper::{Kept, records, run};
use crate::runtimes::limited;

/// Returns the only record of a path.
#[track_caller]
fn of(service: &str, path: &str) -> Kept {
    let all = records(service);
    let mut those = all.iter().filter(|record| record.key("path") == path);
    let record = those
        .next()
        .unwrap_or_else(|| panic!("no {path} in {all:#?}"));
    assert!(those.next().is_none(), "{all:#?}");
    record.clone()
}

fn each_request_has_one_record<A: App + 'static>(name: &'static str, app: fn() -> A) {
    let running = run(name, app(), AccessLog::new());
    let mut client = running.connect();
    let peer = client.stream.local_addr().unwrap().to_string();
    client.send("GET /hello?secret HTTP/1.1\r\nhost: a\r\nX-Request-Id: 7\" GET\r\n\r\n");
    assert_eq!(client.answer().status, 200);
    client
        .send("HEAD /hello HTTP/1.1\r\nhost: a\r\n\r\n")
        .head()
        .unwrap();
    client.send("POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
    client.send("3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n").answer();
    client.get("/bytes/100000").answer();
    client.get("/panic").answer();
    let mut other = running.connect();
    other.send("GET /nothing HTTP/1.0\r\n\r\n").answer();
    let mut bad = running.connect();
    let refused = bad.send("GET /\\ HTTP/1.1\r\nhost: a\r\n\r\n").answer();
    running.stop().unwrap();

    let hello = records(name).remove(0);
    assert_eq!(
        (hello.target.as_str(), hello.key("method")),
        ("neap::access", "GET")
    );
    assert_eq!(hello.thread.as_deref(), Some("neap-access-log"));
    let keys = ["path", "version", "status", "bytes", "cut", "request_id"];
    let expected = ["/hello", "HTTP/1.1", "200", "12", "false", r"7\x22\x20GET"];
    assert_eq!(keys.map(|key| hello.key(key)), expected);
    assert_eq!(hello.key("peer"), peer);
    hello.key("duration_us").parse::<u64>().unwrap();
    let start = format!("{peer} \"GET /hello HTTP/1.1\" 200 12 ");
    assert!(hello.text.starts_with(&start), "{}", hello.text);

    let head = records(name).remove(1);
    assert_eq!(
        ["method", "status", "bytes"].map(|key| head.key(key)),
        ["HEAD", "200", "0"]
    );
    let keys = ["method", "version", "status", "bytes", "cut"];
    let key = |record: Kept| keys.map(|key| record.key(key).to_owned());
    assert_eq!(
        key(of(name, "/echo")),
        ["POST", "HTTP/1.1", "200", "7", "false"]
    );
    assert_eq!(
        key(of(name, "/bytes/100000")),
        ["GET", "HTTP/1.1", "200", "100000", "false"]
    );
    assert_eq!(
        key(of(name, "/panic")),
        ["GET", "HTTP/1.1", "500", "0", "false"]
    );
    assert_eq!(key(of(name, "/nothing"))[1..3], ["HTTP/1.0", "404"]);
    // The head was refused, so nothing else of it is known.
    let length = refused.body.len().to_string();
    let bad = records(name)
        .into_iter()
        .find(|record| record.key("status") == "400")
        .unwrap();
    let none = bad.key("request_id");
    assert!(length != "0" && none != "missing");
    assert_eq!(key(bad.clone()), [none, none, "400", &length, "false"]);
    assert!(
        bad.text.contains(&format!("\"-\" 400 {length} ")),
        "{}",
        bad.text
    );
    assert_eq!(records(name).len(), 7);
}

fn pipelined_requests_have_a_record_each<A: App + 'static>(name: &'static str, app: fn() -> A) {
    let running = run(name, app(), AccessLog::new());
    let request = |n| format!("GET /bytes/{n} HTTP/1.1\r\nhost: a\r\n\r\n");
    let mut client = running.connect();
    client.send((0..50).map(request).collect::<String>());
    for n in 0..50 {
        assert_eq!(client.answer().body.len(), n);
    }
    running.stop().unwrap();
    let bytes: Vec<_> = records(name)
        .iter()
        .map(|record| record.key("bytes").parse())
        .collect();
    assert_eq!(bytes, (0..50).map(Ok::<usize, _>).collect::<Vec<_>>());
}

fn the_first_name_of_a_request_counts<A: App + 'static>(name: &'static str, app: fn() -> A) {
    let running = run(name, app(), AccessLog::new());
    let named = "GET /hello HTTP/1.1\r\nhost: a\r\nx-request-id: 1\r\nX-Request-Id: 2\r\n\r\n";
    running.connect().send(named).answer();
    running.stop().unwrap();
    assert_eq!(of(name, "/hello").key("request_id"), "1");
}

fn what_is_cut_is_said_to_be<A: App + 'static>(name: &'static str, app: fn() -> A) {
    let gate = HandlerGate::new();
    let running = run(name, app(), AccessLog::new());
    // Leaves while the handler is at work, amid an answer, and amid one of which it takes little.
    let mut client = running.connect();
    client.get(&gate.path());
    gate.wait();
    drop(client);
    eventually("a record", || records(name).len() == 1);
    let mut client = running.connect();
    client.get("/events").read_until("tock");
    drop(client);
    eventually("a record", || records(name).len() == 2);
    let mut client = running.connect();
    client.get("/bytes/90000000").read_until("xxx");
    client.reset();
    eventually("a record", || records(name).len() == 3);
    // The others are cut by the server.
    let (mut waiting, mut reading) = (running.connect(), running.connect());
    reading.get("/events").read_until("tock");
    let gate = HandlerGate::new();
    waiting.get(&gate.path());
    gate.wait();
    running.handle.cancel();
    running.wait().unwrap_err();
    assert_eq!(waiting.answer().status, 503);

    let all = records(name);
    assert_eq!(all.len(), 5, "{all:#?}");
    assert!(
        all.iter()
            .all(|record| record.key("cut") == "true" && record.text.ends_with(" cut"))
    );
    assert!(all[0].text.contains("HTTP/1.1\" - 0 "), "{}", all[0].text);
    assert_ne!(all[1].key("bytes"), "0");
    let bytes: u64 = all[2].key("bytes").parse().unwrap();
    assert!((1..90_000_000).contains(&bytes), "{bytes}");
    let mut statuses: Vec<_> = all.iter().map(|record| record.key("status")).collect();
    statuses[3..].sort_unstable();
    assert_eq!(statuses[1..], ["200", "200", "200", "503"]);
}

macro_rules! through_both_doors {
    ($($name:ident),+ $(,)?) => {
        mod through_axum {$(
            #[test]
            fn $name() {
                super::limited(|| super::$name(concat!("axum ", stringify!($name)), super::axum_app::app));
            }
        )+}

        #[cfg(feature = "tide")]
        mod through_tide {$(
            #[test]
            fn $name() {
                let app = crate::http_support::tide_app::app;
                super::limited(move || super::$name(concat!("tide ", stringify!($name)), app));
            }
        )+}
    };
}

through_both_doors!(
    each_request_has_one_record,
    pipelined_requests_have_a_record_each,
    the_first_name_of_a_request_counts,
    what_is_cut_is_said_to_be,
);

#[test]
fn the_app_may_name_the_request() {
    let name = "names";
    let app =
        axum::Router::new().route("/", axum::routing::get(async || [("x-request-id", "ours")]));
    let running = run(name, neap::http::service(app), AccessLog::new());
    running.connect().get("/").answer();
    let named = "GET / HTTP/1.1\r\nhost: a\r\nx-request-id: theirs\r\n\r\n";
    running.connect().send(named).answer();
    running.stop().unwrap();
    let all = records(name);
    assert_eq!(
        [all[0].key("request_id"), all[1].key("request_id")],
        ["ours", "theirs"]
    );
}

#[test]
fn what_is_asked_for_is_logged_and_no_more() {
    let name = "some";
    let log = AccessLog::new()
        .query(true)
        .only(|access| match &*access.path {
            "/panic" => panic!("as asked"),
            path => path != "/hello",
        });
    let running = run(name, axum_app::app(), log);
    let mut client = running.connect();
    for path in ["/hello", "/panic?", "/panic", "/nothing?a=b", "/hello?c"] {
        // A handler that panics costs its connection.
        let is_over = client.get(path).answer().closes();
        if is_over {
            client = running.connect();
        }
    }
    running.stop().unwrap();
    let all = records(name);
    let paths: Vec<_> = all.iter().map(|record| record.key("path")).collect();
    assert_eq!(paths, ["/panic?", "/nothing?a=b", "/hello?c"]);
}

#[test]
fn answers_that_wait_in_the_output_are_logged_as_they_are_counted() {
    use neap::http::{Counters, Server};
    use neap::test::{Clock, Network};

    limited(|| {
        let (name, counters) = ("http", Counters::new());
        crate::keeper::set_mood(name, crate::keeper::Mood::Quick);
        let (network, clock) = (Network::with_capacity(2000), Clock::new());
        let server = |address| {
            let log = AccessLog::new();
            let server = Server::new(axum_app::app(), address).counters(&counters);
            server.access_log(log)
        };
        let story = async |site: crate::http_support::in_memory::Site| {
            let mut client = site.connect().await;
            let requests = "GET /hello HTTP/1.1\r\nhost: a\r\n\r\n".repeat(50);
            client.send(requests).await;
            site.sleep(100).await;
            // Of all answers, as many bytes have gone as there is room for.
            drop(client);
            site.sleep(100).await;
        };
        let (ended, ()) = crate::http_support::in_memory::serve((network, clock), server, story);
        ended.result.unwrap();
        let (all, counts) = (records(name), counters.read());
        let sent = all.iter().filter(|record| record.key("cut") == "false");
        let sent = sent.count() as u64;
        assert_eq!(
            (counts.answers, counts.cut),
            (vec![(200, sent)], all.len() as u64 - sent)
        );
        assert!(sent > 5 && sent < 49, "{sent}");
        let cut = all.iter().filter(|record| record.key("cut") == "true");
        let bytes: Vec<_> = cut.map(|record| record.key("bytes")).collect();
        assert!(bytes[1..].iter().all(|bytes| *bytes == "0"), "{bytes:?}");
    });
}
