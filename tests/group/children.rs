//! Children of a service, by their handles: awaited, aborted, let go.

use std::future::pending;

use futures_lite::future;
use neap::{Exit, Scope};

use crate::runtimes::on_all;
use crate::support::Notes;

#[test]
fn a_child_is_awaited_for_its_value() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        group.add("parent", async |scope: Scope<'static>| {
            let children: Vec<_> = (0..10)
                .map(|n| {
                    scope.spawn(async move {
                        for _ in 0..n {
                            future::yield_now().await;
                        }
                        Ok::<_, std::io::Error>(n)
                    })
                })
                .collect();
            for (n, child) in children.into_iter().enumerate() {
                assert_eq!(child.await, Some(n));
            }
            assert_eq!(scope.spawn(async {}).await, Some(()));
        });
        group.run().await.unwrap();
    });
}

#[test]
fn a_child_that_fails_or_panics_has_no_value_and_is_a_failure_of_the_service() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        group.add("parent", async |scope: Scope<'static>| {
            assert_eq!(scope.spawn(async { Err::<u8, _>("tired") }).await, None);
            assert!(scope.handle().is_stopped(), "recorded before it is told");
            assert_eq!(scope.spawn(async { panic!("sick") }).await, None);
        });
        let error = group.run().await.unwrap_err();
        assert_eq!(error.to_string(), "service `parent` failed: tired");
        let later = error.outcome().unwrap().later_failures();
        let later: Vec<_> = later.map(|(_, exit)| exit.to_string()).collect();
        assert_eq!(later, ["panicked: sick"]);
    });
}

#[test]
fn a_child_is_aborted_and_its_service_goes_on() {
    on_all(|runtime| async move {
        let (mut group, notes) = (runtime.group(), Notes::new());
        let noted = notes.clone();
        group.add("parent", async move |scope: Scope<'static>| {
            let gone = noted.on_drop("child gone");
            let child = scope.spawn(async move {
                let _gone = gone;
                pending::<()>().await;
            });
            assert!(!child.is_finished());
            child.abort();
            child.abort();
            assert_eq!(child.await, None);
            noted.note("parent goes on");
            assert!(!scope.is_stopped());
        });
        let outcome = group.run().await.unwrap();
        assert!(matches!(
            outcome.reports().next().unwrap().exit(),
            Exit::Finished
        ));
        assert_eq!(notes.all(), ["child gone", "parent goes on"]);
    });
}

#[test]
fn a_handle_that_is_dropped_leaves_the_child_running_and_what_it_returns_is_dropped_in_time() {
    on_all(|runtime| async move {
        let (mut group, notes) = (runtime.group(), Notes::new());
        let noted = notes.clone();
        group.add("parent", async move |scope: Scope<'static>| {
            drop(scope.spawn(async move {
                future::yield_now().await;
                Ok::<_, std::io::Error>(noted.on_drop("value gone"))
            }));
        });
        group.run().await.unwrap();
        assert_eq!(notes.all(), ["value gone"], "before `run` returns");
    });
}

#[test]
fn g03_a_value_whose_drop_panics_is_a_failure_of_the_service() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("the value went off");
        }
    }
    on_all(|runtime| async move {
        let mut group = runtime.group();
        group.add("parent", async |scope: Scope<'static>| {
            drop(scope.spawn(async { Ok::<_, std::io::Error>(Bomb) }));
        });
        let error = group.run().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "service `parent` panicked: the value went off"
        );
    });
}

#[test]
fn a_child_of_a_service_that_is_cancelled_has_no_value() {
    on_all(|runtime| async move {
        let (mut group, (sender, receiver)) = (runtime.group(), async_channel::bounded(1));
        let handle = group.handle();
        group.add("parent", async move |scope: Scope<'static>| {
            sender.try_send(scope.spawn(pending::<()>())).unwrap();
            pending::<()>().await;
        });
        group.add("operator", async move |_| {
            let child = receiver.recv().await.unwrap();
            handle.cancel();
            assert_eq!(child.await, None);
        });
        assert!(group.run().await.unwrap_err().is_timeout());
    });
}
