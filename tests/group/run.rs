//! The run of a group as a whole.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_lite::future;
use neap::Group;

use crate::runtimes::{limited, on_all};
use crate::support::{Notes, exits, stragglers};

#[test]
fn g18_a_group_ends_the_same_way_on_every_runtime() {
    on_all(|runtime| async move {
        let (mut group, started) = (runtime.group(), Notes::new());
        let [done, obedient, race, deaf, all] = [(); 5].map(|()| started.clone());
        group.add("done", move |_| async move { done.note("done") });
        group.add("obedient", move |scope| async move {
            obedient.note("obedient");
            scope.stopped().await;
        });
        group.race("race", async move {
            race.note("race");
            pending::<()>().await;
        });
        group
            .add("deaf", move |_| async move {
                deaf.note("deaf");
                pending::<()>().await;
            })
            .drain_timeout(Duration::from_millis(1));
        group.add("culprit", move |_| async move {
            all.wait_for(4).await;
            Err("xxx")
        });
        let error = group.run().await.unwrap_err();

        assert_eq!(error.to_string(), "service `culprit` failed: xxx");
        let outcome = error.outcome().unwrap();
        assert_eq!(
            exits(outcome),
            [
                "finished",
                "finished",
                "stopped",
                "cancelled",
                "failed: xxx"
            ]
        );
        assert_eq!(stragglers(outcome), ["deaf"]);
    });
}

#[test]
fn services_of_a_group_in_place_can_borrow_from_the_stack() {
    limited(|| {
        let mut lines = vec![String::new(); 3];
        let prefix = String::from("line");
        let mut group = Group::new();
        for (number, line) in lines.iter_mut().enumerate() {
            let prefix = &prefix;
            group.add("writer", move |scope| async move {
                scope.spawn(async move { line.push_str(&format!("{prefix} {number}")) });
            });
        }
        future::block_on(group.run()).unwrap();
        assert_eq!(lines, ["line 0", "line 1", "line 2"]);
    });
}

#[test]
fn two_services_may_share_a_name() {
    limited(|| {
        let mut group = Group::new();
        let first = group.add("worker", |_| async {}).id();
        let second = group.add("worker", |_| async {}).id();
        assert_ne!(first, second);
        assert_eq!(future::block_on(group.run()).unwrap().reports().len(), 2);
    });
}

#[test]
fn many_services_all_start_and_all_end() {
    on_all(|runtime| async move {
        const SERVICES: usize = 5_000;
        let mut group = runtime.group();
        let (handle, running) = (group.handle(), Arc::new(AtomicUsize::new(0)));
        for _ in 0..SERVICES {
            let running = Arc::clone(&running);
            group.add("service", move |scope| async move {
                running.fetch_add(1, Ordering::Relaxed);
                scope.stopped().await;
            });
        }
        group.add("stopper", move |_| async move {
            while running.load(Ordering::Relaxed) < SERVICES {
                future::yield_now().await;
            }
            handle.stop();
        });
        let outcome = group.run().await.unwrap();
        assert!(exits(&outcome).iter().all(|exit| exit == "finished"));
    });
}
