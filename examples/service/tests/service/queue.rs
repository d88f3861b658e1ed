//! The queue: what is in it outlives the process, and one bad letter does not hold up the others.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::client::Client;
use crate::process::{Home, Process, number, until};

/// Adds a letter, and returns its number.
fn post(program: &Process, to: &str, text: &str) -> i64 {
    let answer = Client::new(program.http).unwrap().post(to, text).unwrap();
    assert_eq!(answer.status, 202, "{}", answer.body);
    let id = answer.body.trim_start_matches(r#"{"id":"#);
    id.trim_end_matches('}').parse().unwrap()
}

/// Waits until a letter has ended, and returns how.
fn end(program: &Process, id: i64) -> String {
    let mut client = Client::new(program.http).unwrap();
    until("end of the letter", || {
        let progress = client.get(&format!("/letters/{id}")).unwrap().body;
        (!progress.contains("waiting")).then_some(progress)
    })
}

#[test]
fn a_poisoned_letter_is_tried_again_and_then_returned() {
    let home = Home::new().settings(r#"{"attempts": 3, "retry_after": "5ms"}"#);
    let program = home.start();
    let unknown = post(&program, "ann@nowhere.invalid", "hello");
    let panics = post(&program, "ann@example.com", "panic: delivery");
    let good = post(&program, "ann@example.com", "hello");
    assert!(end(&program, good).contains(r#""state":"delivered","attempts":1}"#));
    let progress = end(&program, unknown);
    assert!(
        progress.contains(r#""state":"returned","attempts":3"#),
        "{progress}"
    );
    assert!(
        progress.contains("`ann@nowhere.invalid` is not known"),
        "{progress}"
    );
    let progress = end(&program, panics);
    assert!(
        progress.contains(r#""returned","attempts":3,"error":"a panic""#),
        "{progress}"
    );
    program.stop();
    assert_eq!(home.delivered(), [good]);
}

#[test]
fn what_is_in_the_queue_at_a_stop_is_the_next_process_s() {
    let home = Home::new().settings(r#"{"print_time": "100ms"}"#);
    let program = home.start();
    let ids: Vec<_> = (0..20)
        .map(|_| post(&program, "ann@example.com", "hello"))
        .collect();
    until("delivery", || (!home.delivered().is_empty()).then_some(()));
    program.stop();
    let first = home.delivered();
    let database = home.database();
    assert!(first.len() < ids.len(), "{first:?}");
    // The one in hand was finished: none was claimed in vain.
    assert_eq!(
        number(&database, "SELECT sum(attempts) FROM letters"),
        first.len() as i64
    );
    drop(database);

    let home = home.settings(r#"{"print_time": "0s"}"#);
    let program = home.start();
    until("delivery of all", || {
        (home.delivered() == ids).then_some(())
    });
    program.stop();
}

#[test]
fn what_was_accepted_outlives_a_kill() {
    let home = Home::new().settings(r#"{"print_time": "10s"}"#);
    let program = home.start();
    let begin = Instant::now();
    let ids: Vec<_> = (0..5)
        .map(|_| post(&program, "ann@example.com", "hello"))
        .collect();
    until("claim", || {
        let answer = Client::new(program.http).unwrap().get("/letters/1");
        answer
            .unwrap()
            .body
            .contains(r#""attempts":1"#)
            .then_some(())
    });
    program.signal(Signal::KILL);
    program.wait();

    let home = home.settings("{}");
    let program = home.start();
    until("delivery of the others", || {
        let delivered = home.delivered();
        ids[1..]
            .iter()
            .all(|id| delivered.contains(id))
            .then_some(())
    });
    program.stop();
    // The first one was in hand, and is due again when its lease of 30 s is over.
    if begin.elapsed() < Duration::from_secs(30) {
        let waits = "SELECT count(*) FROM letters WHERE ended IS NULL AND id = 1 AND attempts = 1";
        assert_eq!(number(&home.database(), waits), 1);
    }
}

#[test]
fn old_letters_are_removed() {
    let home = Home::new()
        .settings(r#"{"keep": "0s"}"#)
        .with("CLEANUP_PERIOD", "20ms");
    let program = home.start();
    post(&program, "ann@example.com", "hello");
    program.logs("1 old letters removed");
    let answer = Client::new(program.http)
        .unwrap()
        .get("/letters/1")
        .unwrap();
    assert_eq!(answer.status, 404);
    program.stop();
}
