//! The queue blocks no handler, is bounded, and is written before the group ends.

use std::time::{Duration, Instant};

use neap::http::AccessLog;

use crate::http_support::{axum_app, eventually};
use crate::keeper::{Mood, lost, panics, records, run, run_on, set_mood, waits_for};
use crate::runtimes::{ALL, limited};

#[test]
fn a_logger_that_blocks_delays_no_request_and_what_is_lost_is_counted() {
    limited(|| {
        let name = "stuck";
        set_mood(name, Mood::Stuck);
        let running = run(name, axum_app::app(), AccessLog::new().capacity(4));
        let mut client = running.connect();
        for _ in 0..50 {
            assert_eq!(client.get("/hello").answer().status, 200);
        }
        assert_eq!(records(name).len(), 0);
        set_mood(name, Mood::Quick);
        eventually("what was lost", || lost(name) > 0);
        running.stop().unwrap();
        let written = records(name).len();
        // One was with the logger, and four were in the queue.
        assert!((4..=5).contains(&written), "{written}");
        assert_eq!(written + lost(name), 50);
    });
}

#[test]
fn all_is_written_before_run_returns_on_every_runtime() {
    limited(|| {
        for (runtime, name) in ALL.into_iter().zip(["a", "b", "c", "d", "e", "f", "g"]) {
            set_mood(name, Mood::Slow);
            let running = run_on(runtime, name, axum_app::app(), AccessLog::new());
            let mut client = running.connect();
            for _ in 0..100 {
                client.get("/hello").answer();
            }
            drop(client);
            running.stop().unwrap();
            assert_eq!(records(name).len(), 100, "{runtime:?}");
        }
    });
}

#[test]
fn a_stop_does_not_wait_for_a_batch() {
    let name = "prompt";
    let running = run(name, axum_app::app(), AccessLog::new());
    // Mostly within the pause behind the record of the second.
    for _ in 0..2 {
        running.connect().get("/hello").answer();
    }
    running.stop().unwrap();
    assert_eq!(records(name).len(), 2);
}

#[test]
fn a_drain_that_waits_for_the_logger_says_so_and_ends_at_the_deadline() {
    limited(|| {
        let name = "stuck at the stop";
        set_mood(name, Mood::Stuck);
        let running = run(name, axum_app::app(), AccessLog::new());
        for _ in 0..3 {
            running.connect().get("/hello").answer();
        }
        running.handle.stop();
        eventually("the wait", || {
            waits_for("`stuck at the stop`") && waits_for("its access log to be written")
        });
        let start = Instant::now();
        running.handle.cancel();
        let error = running.wait().unwrap_err();
        assert!(error.is_timeout(), "{error}");
        let took = start.elapsed();
        // It was given the time that there is, and then left alone.
        assert!(took >= Duration::from_millis(400), "{took:?}");
        set_mood(name, Mood::Quick);
        eventually("the rest", || records(name).len() == 3);
    });
}

#[test]
fn a_cancel_waits_for_what_is_in_the_queue() {
    limited(|| {
        let name = "cancelled";
        set_mood(name, Mood::Slow);
        let running = run(name, axum_app::app(), AccessLog::new());
        let mut client = running.connect();
        for _ in 0..20 {
            client.get("/hello").answer();
        }
        running.handle.cancel();
        let _ = running.wait();
        assert_eq!(records(name).len(), 20);
    });
}

#[test]
fn a_logger_that_panics_costs_its_records_alone() {
    let name = "broken";
    set_mood(name, Mood::Broken);
    let running = run(name, axum_app::app(), AccessLog::new());
    let mut client = running.connect();
    client.get("/hello").answer();
    client.get("/hello").answer();
    eventually("the panics", || panics() == 2);
    set_mood(name, Mood::Quick);
    client.get("/bytes/1").answer();
    running.stop().unwrap();
    let all = records(name);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].key("path"), "/bytes/1");
}
