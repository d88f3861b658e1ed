//! The stop: nothing is lost, in HTTP and in the queue, and the database is closed well.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::client::Client;
use crate::process::{Home, number, until};

/// Posts letters until the server refuses connections. Counts answers, and returns the requests that were lost.
fn load(address: SocketAddr, answers: &AtomicUsize) -> Vec<String> {
    let mut lost = Vec::new();
    while let Ok(mut client) = Client::new(address) {
        loop {
            match client.post("ann@example.com", "hello") {
                Ok(answer) => {
                    assert_eq!(answer.status, 202);
                    answers.fetch_add(1, Ordering::Relaxed);
                    if answer.closes {
                        break;
                    }
                }
                Err(error) => {
                    lost.push(error.to_string());
                    break;
                }
            }
        }
    }
    lost
}

#[test]
fn nothing_is_lost_under_load() {
    let home = Home::new().settings(r#"{"print_time": "5ms"}"#);
    let program = home.start();
    let (address, answers) = (program.http, AtomicUsize::new(0));
    let lost: Vec<String> = thread::scope(|scope| {
        let clients: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| load(address, &answers)))
            .collect();
        until("load", || {
            let is_busy = answers.load(Ordering::Relaxed) > 300 && home.delivered().len() > 3;
            is_busy.then_some(())
        });
        program.stop();
        clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect()
    });
    assert!(lost.is_empty(), "{lost:?}");

    let (database, delivered) = (home.database(), home.delivered());
    let answers = answers.into_inner() as i64;
    assert_eq!(number(&database, "SELECT count(*) FROM letters"), answers);
    let ended = "SELECT count(*) FROM letters WHERE ended NOT NULL";
    assert_eq!(number(&database, ended), delivered.len() as i64);
    // The letter in hand was finished, and the others were left alone.
    let attempts = "SELECT sum(attempts) FROM letters";
    assert_eq!(number(&database, attempts), delivered.len() as i64);
    drop(database);

    let home = home.settings(r#"{"print_time": "0s"}"#);
    let program = home.start();
    until("delivery of all", || {
        (home.delivered().len() as i64 == answers).then_some(())
    });
    program.stop();
}

#[test]
fn a_stop_takes_no_longer_than_its_budget_and_closes_the_database_all_the_same() {
    let home = Home::new()
        .settings(r#"{"print_time": "9s"}"#)
        .with("DRAIN_TIMEOUT", "300ms");
    let program = home.start();
    let mut client = Client::new(program.http).unwrap();
    assert_eq!(client.post("ann@example.com", "hello").unwrap().status, 202);
    until("claim", || {
        let progress = client.get("/letters/1").unwrap().body;
        progress.contains(r#""attempts":1"#).then_some(())
    });
    // Half a request, which is never finished.
    client
        .send("POST /letters HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{")
        .unwrap();

    let begin = Instant::now();
    program.signal(Signal::TERM);
    let (status, log) = program.wait();
    let time = begin.elapsed();
    assert!(log.contains("a stop takes up to 6.8s"), "{log}");
    assert!(time < Duration::from_millis(6800), "{time:?}: {log}");
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(
        log.contains("service `delivery` did not end within its drain timeout of 300ms"),
        "{log}"
    );
    assert!(log.contains("the database is closed"), "{log}");
    // It is due again when its lease is over.
    let waits = "SELECT count(*) FROM letters WHERE id = 1 AND ended IS NULL";
    assert_eq!(number(&home.database(), waits), 1);
}

#[test]
fn a_panic_of_a_handler_costs_its_connection_alone() {
    let home = Home::new();
    let program = home.start();
    let mut client = Client::new(program.http).unwrap();
    let answer = client.post("ann@example.com", "panic: handler").unwrap();
    assert_eq!((answer.status, answer.closes), (500, true));
    let mut client = Client::new(program.http).unwrap();
    assert_eq!(client.post("ann@example.com", "hello").unwrap().status, 202);
    program.stop();
    assert_eq!(number(&home.database(), "SELECT count(*) FROM letters"), 1);
}
