//! What those see who run the program.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::client::Client;
use crate::process::{Home, until};

#[test]
fn numbers_and_states() {
    let home = Home::new();
    let program = home.start();
    let mut client = Client::new(program.http).unwrap();
    let mut admin = Client::new(program.admin).unwrap();
    assert_eq!(client.post("ann@example.com", "hello").unwrap().status, 202);
    assert_eq!(client.get("/letters/99").unwrap().status, 404);
    assert_eq!(client.get("/letters/x").unwrap().status, 400);
    assert_eq!(admin.get("/live").unwrap().status, 200);
    for server in [&mut client, &mut admin] {
        until("readiness", || {
            (server.get("/ready").unwrap().status == 200).then_some(())
        });
    }

    until("delivery", || {
        let answer = client.get("/letters/1").unwrap();
        assert_eq!(answer.status, 200);
        answer.body.contains(r#""state":"delivered""#).then_some(())
    });
    let metrics = admin.get("/metrics").unwrap().body;
    for line in [
        "letters_total{event=\"accepted\"} 1",
        "letters_total{event=\"delivered\"} 1",
        "http_responses_total{status=\"202\"} 1",
        "http_responses_total{status=\"404\"} 1",
        "http_accepted_total 1",
        "http_connections{state=\"idle\"} 1",
        "# EOF",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "no {line} in {metrics}"
        );
    }
    let status = admin.get("/status").unwrap().body;
    for service in ["database", "http", "delivery", "cleanup", "reload", "admin"] {
        let is_ready = |line: &str| line.starts_with(service) && line.contains(" ready ");
        assert!(status.lines().any(is_ready), "{service}: {status}");
    }
    program.stop();
}

#[test]
fn a_lame_duck_is_not_ready_and_serves_and_can_be_watched() {
    let home = Home::new().with("LAME_DUCK", "30s");
    let program = home.start();
    program.signal(Signal::TERM);
    // The group stops a moment before its server is told.
    until("503 and close", || {
        let answer = Client::new(program.http).unwrap().get("/ready").unwrap();
        (answer.status == 503 && answer.closes).then_some(())
    });
    let mut client = Client::new(program.http).unwrap();
    assert_eq!(client.post("ann@example.com", "late").unwrap().status, 202);
    let mut admin = Client::new(program.admin).unwrap();
    assert_eq!(admin.get("/live").unwrap().status, 200);
    assert_eq!(admin.get("/ready").unwrap().status, 503);
    assert!(
        admin
            .get("/metrics")
            .unwrap()
            .body
            .contains("accepted\"} 1\n")
    );
    // The second signal ends it. Within 100 ms it would count as the first one.
    thread::sleep(Duration::from_millis(200));
    program.signal(Signal::TERM);
    program.wait();
    home.database();
}
