//! A value that one service has for the others.

mod runtimes;

use std::time::Duration;

use futures_lite::future;
use neap::{Provided, Restart, Scope, restart};
use runtimes::on_all;

#[test]
fn g07_what_needs_a_service_finds_what_that_provides_from_start_to_end() {
    on_all(|runtime| async move {
        let (pool, mut group) = (Provided::new(), runtime.group());
        let (owner, user) = (pool.clone(), pool.clone());
        let db = group.add("db", async move |scope: Scope<'static>| {
            scope.starting();
            future::yield_now().await;
            let provided = owner.provide(String::from("a pool"));
            scope.ready();
            scope.stopped().await;
            assert_eq!(*provided, "a pool");
        });
        let db = db.id();
        let http = group.add("http", async move |scope: Scope<'static>| {
            assert_eq!(user.get().as_deref(), Some("a pool"));
            scope.stop();
            scope.stopped().await;
            future::yield_now().await;
            assert_eq!(user.get().as_deref(), Some("a pool"));
        });
        http.needs(db);
        group.run().await.unwrap();
        assert_eq!(pool.get(), None);
    });
}

#[test]
fn a_restarted_service_provides_another_value_and_who_waits_has_that() {
    on_all(|runtime| async move {
        let (values, mut group) = (Provided::new(), runtime.group());
        let (owner, mut run) = (values.clone(), 0);
        let policy = Restart::on_failure().backoff(Duration::ZERO, Duration::ZERO);
        let service = restart(policy, move |scope: Scope<'static>| {
            run += 1;
            let (owner, run) = (owner.clone(), run);
            async move {
                let _provided = owner.provide(run);
                if run < 3 {
                    future::yield_now().await;
                    return Err("again");
                }
                scope.stopped().await;
                Ok(())
            }
        });
        let service = group.add("service", service).background().id();
        let main = group.add("main", async move |_| {
            while values.wait().await < 3 {
                future::yield_now().await;
            }
        });
        main.needs(service);
        group.run().await.unwrap();
    });
}

#[test]
fn a_value_that_was_replaced_is_not_taken_away_with_its_guard() {
    let values = Provided::new();
    let first = values.provide(1);
    let second = values.provide(2);
    drop(first);
    assert_eq!(values.get(), Some(2));
    drop(second);
    assert_eq!(values.get(), None);
}
