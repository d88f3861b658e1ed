//! What a group logs. A logger belongs to a process, so this is one test in a binary of its own.

#![cfg(feature = "log")]

mod runtimes;

use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use futures_lite::future;
use log::{Level, LevelFilter, Log, Metadata, Record};
use neap::test::Clock;
use neap::{Group, OnExit, OnFailure};

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
    a_failure_is_logged_with_its_causes();
    a_race_at_the_stop_is_no_trouble();
    one_record_a_second_tells_of_all();
    times_count_from_the_start_of_the_group();
    a_service_that_waits_for_its_children_says_so();
    what_forced_an_end_is_logged();
    what_is_ignored_or_asked_for_is_said_to_be();
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
    // There are two of these, or one if the machine is busy: the first half of the time is over
    // after 1.25 s.
    events.retain(|(level, event)| *event != "still draining" || *level == Level::Info);
    let expected = [
        (Level::Info, "started"),
        (Level::Info, "started"),
        (Level::Info, "ended"),
        (Level::Info, "stopping"),
        (Level::Info, "still draining"),
        (Level::Warn, "cancelling"),
        (Level::Info, "cancelled"),
        (Level::Info, "outcome"),
    ];
    assert_eq!(events, expected);
    assert_eq!(
        entries[3].2,
        "stopping: end of `job`; waiting up to 2.5s for `deaf`"
    );
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
    let cancelling = entries.iter().find(|(_, event, _)| event == "cancelling");
    let text = &cancelling.unwrap().2;
    let beginning = "cancelling as the drain timeout of 2.5s is over: `deaf` (for 2.5s, 1 child)";
    assert!(text.starts_with(beginning), "{text}");
}

fn a_failure_is_logged_with_its_causes() {
    let entries = logged(|| {
        let mut group = Group::new();
        group.add("db", |_| async {
            let refused = std::io::Error::other("connection refused");
            Err(anyhow::Error::new(refused).context("no pool"))
        });
        future::block_on(group.run()).unwrap_err();
    });
    let failed = entries.iter().find(|(_, event, _)| event == "failed");
    let (level, _, text) = failed.unwrap();
    assert_eq!(*level, Level::Error);
    assert_eq!(text, "`db` failed: no pool: connection refused");
}

fn a_race_at_the_stop_is_no_trouble() {
    let entries = logged(|| {
        let mut group = Group::new();
        group.race("timer", pending::<()>());
        group.add("job", |_| async {}).on_exit(OnExit::Stop);
        future::block_on(group.run()).unwrap();
    });
    let is_it = |(_, _, text): &&Entry| text.starts_with("`timer` stopped after ");
    let (level, event, _) = entries.iter().find(is_it).unwrap();
    assert_eq!((*level, event.as_str()), (Level::Info, "stopped"));
    assert!(entries.iter().all(|(level, ..)| *level >= Level::Info));
}

/// Two services, one of which says what it waits for, and one within a group of its own: in the
/// first half of the time the records are INFO, and WARN after it.
fn one_record_a_second_tells_of_all() {
    let entries = logged(|| {
        let clock = Clock::new();
        let timeout = Duration::from_secs(8);
        let mut inner = Group::new().drain_timeout(timeout);
        inner.add("within", |scope| async move {
            scope.waits_for(|| panic!("as asked"));
            pending::<()>().await;
        });
        let mut group = Group::new().drain_timeout(timeout).clock(&clock);
        group.add("mailer", |scope| async move {
            scope.waits_for(|| "3 mails".into());
            pending::<()>().await;
        });
        group.add("inner", inner.into_service());
        group.add("hand", move |scope| async move {
            scope.spawn(async { Err::<(), _>("the end") });
            scope.stopped().await;
            for _ in 0..7 {
                clock.advance(Duration::from_secs(1));
                for _ in 0..10 {
                    future::yield_now().await;
                }
            }
            clock.advance(Duration::from_secs(1));
        });
        future::block_on(group.run()).unwrap_err();
    });
    let is_it = |(_, event, _): &&Entry| event == "still draining";
    let records: Vec<_> = entries.iter().filter(is_it).collect();
    let levels: Vec<_> = records.iter().map(|(level, ..)| *level).collect();
    let expected = [[Level::Info; 4].as_slice(), &[Level::Warn; 3]].concat();
    assert_eq!(levels, expected);
    let text = &records[0].2;
    for part in [
        "still draining: `mailer` (for 1.0s, 3 mails, added at tests/log.rs:",
        ", `inner` (for 1.0s, within it: `within` (for 1.0s, added at tests/log.rs:",
        "; cancelled in 7.0s",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

/// The service starts 1 s after the group, and ends 2 s later; so says the outcome.
fn times_count_from_the_start_of_the_group() {
    let entries = logged(|| {
        let clock = Clock::new();
        let mut group = Group::new().clock(&clock);
        let handle = group.handle();
        let hand = clock.clone();
        group.add("first", move |_| async move {
            clock.advance(Duration::from_secs(1));
            let late = move |_| async move {
                clock.advance(Duration::from_secs(2));
            };
            handle.add("late", late).unwrap();
        });
        drop(hand);
        let outcome = future::block_on(group.run()).unwrap();
        assert_eq!(
            outcome.to_string(),
            "ended: all services finished after 3.0s"
        );
    });
    let texts: Vec<_> = entries.iter().map(|(_, _, text)| text.as_str()).collect();
    assert!(texts.contains(&"`late` ended after 3.0s"), "{texts:?}");
}

fn a_service_that_waits_for_its_children_says_so() {
    let entries = logged(|| {
        let mut group = Group::new();
        group.add("parent", |scope| async move {
            let child = scope.clone();
            scope.spawn(async move { drop(child.stopped().await) });
        });
        group.race("job", async {
            future::yield_now().await;
            Err("as asked")
        });
        future::block_on(group.run()).unwrap_err();
    });
    let stopping = entries.iter().find(|(_, event, _)| event == "stopping");
    let text = "stopping: failure of `job`; waiting up to 10s for `parent` (1 child)";
    assert_eq!(stopping.unwrap().2, text);
}

fn what_forced_an_end_is_logged() {
    let entries = logged(|| {
        let mut group = Group::new();
        let handle = group.handle();
        group.add("deaf", |_| pending::<()>());
        group.add("impatient", |_| async move { handle.cancel() });
        future::block_on(group.run()).unwrap_err();
    });
    let stopping = entries.iter().find(|(_, event, _)| event == "stopping");
    assert_eq!(stopping.unwrap().2, "stopping: request", "no wait");
    let forced = entries.iter().find(|(_, event, _)| event == "cancelling");
    let text = &forced.unwrap().2;
    let beginning = "cancelling by request: `deaf` (for ";
    assert!(text.starts_with(beginning), "{text}");
    let end = &entries.last().unwrap().2;
    let beginning = "stopped by request, ";
    assert!(end.starts_with(beginning), "{end}");
    assert!(
        end.contains("; 2 services: 1 ended, 1 cancelled; service `deaf` was cancelled by request"),
        "{end}"
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

fn what_is_ignored_or_asked_for_is_said_to_be() {
    let entries = logged(|| {
        let mut group = Group::new();
        let weak = group.add("weak", async |_| Err("no such host"));
        weak.on_failure(OnFailure::Ignore);
        let deaf = group.add("deaf", async |_| pending::<()>().await).id();
        group.add("operator", async move |scope| {
            scope.handle().cancel_one(deaf);
        });
        future::block_on(group.run()).unwrap();
    });
    let texts: Vec<_> = entries
        .iter()
        .filter(|(level, ..)| *level <= Level::Warn)
        .map(|(_, event, text)| (event.as_str(), text.as_str()))
        .collect();
    assert_eq!(
        texts,
        [
            ("failed", "`weak` failed: no such host; which is ignored"),
            ("cancelling", "cancelling `deaf` by request")
        ]
    );
    let is_end = |(_, event, text): &&Entry| event == "cancelled" && text.starts_with("`deaf` ");
    assert!(entries.iter().any(|entry| is_end(&entry)), "{entries:?}");
}
