//! What a group logs. A logger belongs to a process, so this is one test in a binary of its own.

#![cfg(feature = "log")]

mod runtimes;

use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use futures_lite::future;
use log::{Level, LevelFilter, Log, Metadata, Record};
use neap::{Group, OnExit};

/// A record: its level, its event, and its text.
type Entry = (Level, String, String);

/// A logger that keeps the records of neap.
struct Kept(Mutex<Vec<Entry>>);

static KEPT: Kept = Kept(Mutex::new(Vec::new()));

impl Log for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "neap"
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let event = record
                .key_values()
                .get("event".into())
                .map(|event| event.to_string());
            let line = (
                record.level(),
                event.unwrap_or_default(),
                record.args().to_string(),
            );
            self.0.lock().unwrap().push(line);
        }
    }

    fn flush(&self) {}
}

/// Runs a group, and returns what was logged meanwhile.
fn logged(run: fn()) -> Vec<Entry> {
    runtimes::limited(run);
    std::mem::take(&mut *KEPT.0.lock().unwrap())
}

#[test]
fn g19_stragglers_are_logged_once_a_second_while_draining_and_so_are_mistakes() {
    log::set_logger(&KEPT).unwrap();
    log::set_max_level(LevelFilter::Trace);
    stragglers_are_logged();
    a_late_call_of_ready_is_logged();
}

fn stragglers_are_logged() {
    let entries = logged(|| {
        let mut group = Group::new().drain_timeout(Duration::from_millis(2500));
        group.add("deaf", |scope| async move {
            scope.spawn(pending::<()>());
            pending::<()>().await;
        });
        group.add("job", |_| async {}).on_exit(OnExit::Stop);
        future::block_on(group.run()).unwrap_err();
    });
    let events = entries.iter();
    let mut events: Vec<_> = events
        .map(|(level, event, _)| (*level, event.as_str()))
        .collect();
    // There are two of these, or one if the machine is busy.
    events.dedup_by(|next, last| next == last && next.1 == "still draining");
    let expected = [
        (Level::Info, "started"),
        (Level::Info, "started"),
        (Level::Info, "ended"),
        (Level::Info, "stopping"),
        (Level::Warn, "still draining"),
        (Level::Warn, "cancelling"),
        (Level::Info, "cancelled"),
        (Level::Debug, "outcome"),
    ];
    assert_eq!(events, expected);
    let draining = &entries[4].2;
    assert!(
        draining.starts_with("still draining: `deaf` (for "),
        "{draining}"
    );
    assert!(
        draining.contains("s, 1 child, added at tests/log.rs:")
            && draining.contains("; cancelled in "),
        "{draining}"
    );
}

fn a_late_call_of_ready_is_logged() {
    let entries = logged(|| {
        let mut group = Group::new();
        let db = group.add("db", |scope| async move {
            future::yield_now().await;
            assert!(!scope.ready());
        });
        let db = db.id();
        group.add("http", |_| async {}).needs(db);
        future::block_on(group.run()).unwrap();
    });
    let late = entries.iter().find(|(_, event, _)| event == "ready late");
    assert_eq!(
        late.unwrap().2,
        "`db` was taken for ready at its first poll, as it did not call `starting`"
    );
}
