//! Guarantees 7 and 17: who starts when, and who is told when.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use futures_lite::future;
use neap::{Group, Restart, Scope, ServiceId, ServiceOptions, restart};

use crate::story::{Flag, LIMIT, NEVER, ms, poll, within};

#[test]
fn g07_a_cycle_of_needs_is_refused() {
    let ended = within(LIMIT, || {
        let mut group = Group::new().drain_timeout(NEVER);
        let handle = group.handle();
        let a = group.add("a", |_| async {});
        let b = handle.add_with("b", ServiceOptions::new().needs(a.id()), |_| async {});
        // The caller that names the later one is told: by a panic, or by the failure of the service.
        let named = catch_unwind(AssertUnwindSafe(|| drop(a.needs(b.unwrap()))));
        named.is_err() || future::block_on(group.run()).is_err()
    });
    assert_eq!(
        ended,
        Some(true),
        "two services that need each other wait for ever"
    );
}

#[test]
fn g07_a_restarted_service_is_not_ready_while_it_waits_to_run_again() {
    let (up, up_at_start) = (Flag::default(), Flag::default());
    let mut group = Group::new();
    let handle = group.handle();
    let (mut runs, is_up) = (0, up.clone());
    let flaky = move |scope: Scope<'static>| {
        runs += 1;
        let (fails, up) = (runs < 3, is_up.clone());
        async move {
            if fails {
                return Err("refused");
            }
            up.set();
            scope.stopped().await;
            Ok(())
        }
    };
    let policy = Restart::on_failure().backoff(ms(1), ms(1));
    let db = group.add("db", restart(policy, flaky)).id();
    let seen = up_at_start.clone();
    let server = move |_| async move {
        if up.is_set() {
            seen.set();
        }
        handle.stop();
    };
    group.add("server", server).needs(db);
    future::block_on(group.run()).unwrap();
    assert!(
        up_at_start.is_set(),
        "`server` was started while no run of `db` was up"
    );
}

#[test]
fn g07_one_that_is_being_stopped_cannot_be_needed_any_more() {
    let mut group = Group::new();
    let (handle, started) = (group.handle(), Flag::default());
    let db = group
        .add("db", |scope: Scope<'static>| async move {
            scope.stopped().await;
            std::future::pending::<()>().await;
        })
        .id();
    let mut run = group.run();
    assert!(poll(&mut run).is_none());
    assert!(handle.stop_one(db));
    assert!(poll(&mut run).is_none());
    let seen = started.clone();
    let late = move |_| async move { seen.set() };
    let added = handle.add_with("late", ServiceOptions::new().needs(db), late);
    assert!(added.is_err(), "`db` drains already");
    assert!(poll(&mut run).is_none());
    assert!(
        !started.is_set(),
        "`late` was started though what it needs drains"
    );
}

#[test]
fn g07_of_what_never_started_the_needed_is_dropped_last() {
    struct Note(&'static str, Arc<Mutex<Vec<&'static str>>>);
    impl Drop for Note {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0);
        }
    }
    let notes = Arc::new(Mutex::new(Vec::new()));
    let mut group = Group::new();
    let (first, second) = (Note("db", notes.clone()), Note("server", notes.clone()));
    let db = group.add("db", move |_| async move { drop(first) }).id();
    group
        .add("server", move |_| async move { drop(second) })
        .needs(db);
    group.handle().stop();
    future::block_on(group.run()).unwrap();
    assert_eq!(*notes.lock().unwrap(), ["server", "db"]);
}

#[test]
fn g17_a_background_service_takes_no_turn_before_run_either() {
    let mut group = Group::new().limit(1);
    group
        .add("metrics", |scope: Scope<'static>| async move {
            scope.stopped().await;
        })
        .background();
    let added = group.handle().try_add("job", |_| async {});
    assert!(added.is_ok(), "no turn is taken: {:?}", added.map(drop));
}

#[test]
fn g07_one_that_was_stopped_before_its_start_never_starts() {
    let (started, mut group) = (Flag::default(), Group::new());
    let (send_id, id) = async_channel::bounded::<ServiceId>(1);
    let handle = group.handle();
    let db = group.add("db", move |scope: Scope<'static>| async move {
        scope.starting();
        // `cache` waits for this service, which stops it and only then becomes ready.
        assert!(handle.stop_one(id.recv().await.unwrap()));
        scope.ready();
        scope.stopped().await;
    });
    let (db, seen) = (db.id(), started.clone());
    let cache = group.add("cache", move |_| async move { seen.set() });
    let cache = cache.needs(db).id();
    let http = group.add("http", |_| async {}).needs(cache).id();
    group.add("jobs", |_| async {}).needs(http);
    let handle = group.handle();
    let mut run = group.run();
    assert!(poll(&mut run).is_none());
    send_id.try_send(cache).unwrap();
    for _ in 0..20 {
        assert!(poll(&mut run).is_none());
    }
    handle.stop();
    let ended = (0..100).find_map(|_| poll(&mut run));
    ended.expect("`run` does not return").unwrap();
    assert!(
        !started.is_set(),
        "`stop_one` returned true, and it started"
    );
}
