//! What a group logs. A logger belongs to a process, so this is one test in a binary of its own.

#![cfg(feature = "log")]

mod runtimes;

use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use futures_lite::future;
use log::{Level, LevelFilter, Log, Metadata, Record};
use neap::{Group, OnExit};

/// Keeps what is logged.
struct Keeper(Mutex<Vec<(Level, String, String)>>);

static KEPT: Keeper = Keeper(Mutex::new(Vec::new()));

impl Log for Keeper {
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

#[test]
fn g19_stragglers_are_logged_once_a_second_while_draining_and_so_are_mistakes() {
    log::set_logger(&KEPT).unwrap();
    log::set_max_level(LevelFilter::Trace);
    runtimes::limited(|| {
        let mut group = Group::new().drain_timeout(Duration::from_millis(2500));
        group.add("deaf", |scope| async move {
            scope.spawn(pending::<()>());
            pending::<()>().await;
        });
        group.add("job", |_| async {}).on_exit(OnExit::Stop);
        future::block_on(group.run()).unwrap_err();
    });
    let kept = KEPT.0.lock().unwrap();
    let mut said: Vec<_> = kept
        .iter()
        .map(|(level, event, _)| (*level, event.as_str()))
        .collect();
    // Two, or one on a machine that is busy elsewhere.
    said.dedup_by(|next, last| next == last && next.1 == "still draining");
    assert_eq!(
        said,
        [
            (Level::Info, "started"),
            (Level::Info, "started"),
            (Level::Info, "ended"),
            (Level::Info, "stopping"),
            (Level::Warn, "still draining"),
            (Level::Warn, "cancelling"),
            (Level::Info, "cancelled"),
            (Level::Debug, "outcome"),
        ]
    );
    let draining = &kept[4].2;
    assert!(
        draining.starts_with("still draining: `deaf` (for "),
        "{draining}"
    );
    assert!(
        draining.contains("s, 1 child, added at tests/log.rs:")
            && draining.contains("; cancelled in "),
        "{draining}"
    );
    drop(kept);

    // A mistake that would go unnoticed otherwise.
    KEPT.0.lock().unwrap().clear();
    runtimes::limited(|| {
        let mut group = Group::new();
        let db = group.add("db", |scope| async move {
            future::yield_now().await;
            assert!(!scope.ready());
        });
        let db = db.id();
        group.add("http", |_| async {}).needs(db);
        future::block_on(group.run()).unwrap();
    });
    let kept = KEPT.0.lock().unwrap();
    let late = kept.iter().find(|(_, event, _)| event == "ready late");
    assert_eq!(
        late.unwrap().2,
        "`db` was taken for ready at its first poll, as it did not call `starting`"
    );
}
