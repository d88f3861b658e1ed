//! The status of a group that runs.

use std::future::pending;
use std::time::Duration;

use futures_lite::future;
use neap::{Handle, Scope, State, Status};

use crate::runtimes::on_all;
use crate::support::stop_once_started;

fn states(status: &Status) -> Vec<State> {
    status.services().iter().map(|one| one.state()).collect()
}

#[test]
fn status_tells_each_service_its_state_and_its_children() {
    on_all(|runtime| async move {
        let mut group = runtime.group().limit(4);
        let handle = group.handle();
        assert_eq!(states(&handle.status()), []);
        group.add("ready", |scope| async move {
            scope.spawn(pending::<()>());
            scope.spawn(pending::<()>());
            scope.stopped().await;
        });
        let starting = |scope: Scope<'static>| async move {
            scope.starting();
            scope.stopped().await;
        };
        let starting = group.add("starting", starting).id();
        group.add("ended", |_| async {});
        group.add("waiting", |_| async {}).needs(starting);
        let asked = handle.clone();
        group.race("watch", async move {
            let expected = [State::Ready, State::Starting, State::Ended, State::Waiting];
            while states(&asked.status())[..4] != expected {
                future::yield_now().await;
            }
            let status = asked.status();
            let first = &status.services()[0];
            assert_eq!(first.children(), 2);
            assert!(first.location().file().ends_with("status.rs"));
            assert_eq!(status.services()[1].id(), starting);
            asked.cancel();
        });
        let error = group.run().await.unwrap_err();
        // A failed assertion of the watch would be a panic instead.
        assert!(error.is_timeout(), "{error}");
        assert_eq!(states(&handle.status()), [], "over");
    });
}

#[test]
fn status_is_a_table() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let handle = group.handle();
        group.add("a service of some length", |_| async {});
        group.add("db", |_| async {});
        let table = handle.status().to_string();
        assert_eq!(
            table,
            "service                   state             for  children\n\
             a service of some length  waiting         0.0ns         0\n\
             db                        waiting         0.0ns         0"
        );
        group.run().await.unwrap();
    });
}

#[test]
fn status_tells_draining_from_cancelling() {
    on_all(|runtime| async move {
        let mut group = runtime.group().drain_timeout(Duration::from_millis(5));
        let handle = group.handle();
        group.add("slow", |scope| async move {
            scope.stopped().await;
            assert_eq!(handle.status().services()[0].state(), State::Draining);
            struct Looks(Handle<'static>);
            impl Drop for Looks {
                fn drop(&mut self) {
                    assert_eq!(self.0.status().services()[0].state(), State::Cancelling);
                }
            }
            let _looks = Looks(handle);
            pending::<()>().await;
        });
        stop_once_started(&mut group);
        assert!(group.run().await.unwrap_err().is_timeout());
    });
}
