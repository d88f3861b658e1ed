//! Order and readiness: guarantees 7, 8 and what surrounds them, each on every runtime.

mod runtimes;

use std::future::pending;
use std::time::Duration;

use futures_lite::future;
use neap::test::Clock;
use neap::{Cause, Exit, Group, Outcome, Scope, ServiceId, ServiceOptions};
use runtimes::{AsyncStd, Gate, Recorder, Runtime, SmolThreads, ThreadPool, limited, on, on_all};

/// A service that notes its start, its stop and its drop.
fn noting<'a>(
    recorder: &Recorder,
    name: &'static str,
) -> impl FnOnce(Scope<'a>) -> future::Boxed<()> + Send + use<'a> + 'static
where
    'a: 'static,
{
    let recorder = recorder.clone();
    move |scope| {
        Box::pin(async move {
            let _gone = recorder.on_drop(&format!("{name} gone"));
            recorder.note(format!("{name} up"));
            scope.stopped().await;
            recorder.note(format!("{name} told"));
            future::yield_now().await;
        })
    }
}

/// A service that is not to start.
async fn never_started(_: Scope<'_>) {
    panic!("started");
}

/// `db`, `http` on it, `jobs` on both.
fn chain(runtime: Runtime, recorder: &Recorder) -> Group<'static> {
    let mut group = runtime.group();
    let db = group.add("db", noting(recorder, "db")).id();
    let http = group.add("http", noting(recorder, "http")).needs(db).id();
    group
        .add("jobs", noting(recorder, "jobs"))
        .needs(db)
        .needs(http);
    group
}

/// What the chain does if all goes well.
const CHAIN: [&str; 9] = [
    "db up",
    "http up",
    "jobs up",
    "jobs told",
    "jobs gone",
    "http told",
    "http gone",
    "db told",
    "db gone",
];

fn exit_of<'o>(outcome: &'o Outcome, name: &str) -> &'o Exit {
    let found = outcome.reports().find(|report| report.name() == name);
    found.unwrap().exit()
}

#[test]
fn g7_services_start_after_what_they_need_and_stop_before_it() {
    on_all(|runtime| async move {
        let recorder = Recorder::new();
        let mut group = chain(runtime, &recorder);
        let handle = group.handle();
        group.race("end", async move {
            handle.started().await.unwrap();
            handle.stop();
        });
        group.run().await.unwrap();
        assert_eq!(recorder.events(), CHAIN);
    });
}

#[test]
fn g7_a_service_starts_only_once_what_it_needs_is_ready() {
    on_all(|runtime| async move {
        let (recorder, gate) = (Recorder::new(), Gate::new());
        let mut group = runtime.group();
        let (noted, passed) = (recorder.clone(), gate.clone());
        let db = group
            .add("db", |scope| async move {
                scope.starting();
                passed.pass().await;
                noted.note("ready");
                assert!(scope.ready());
                assert!(!scope.ready(), "only the first is news");
                scope.stopped().await;
            })
            .id();
        let noted = recorder.clone();
        group
            .add("http", |_| async move { noted.note("http") })
            .needs(db);
        let (noted, handle) = (recorder.clone(), group.handle());
        group.race("opener", async move {
            for _ in 0..20 {
                future::yield_now().await;
            }
            noted.note("opening");
            gate.open();
            handle.started().await.unwrap();
            handle.stop();
        });
        group.run().await.unwrap();
        assert_eq!(recorder.events(), ["opening", "ready", "http"]);
    });
}

#[test]
fn g7_one_that_never_says_so_is_ready_once_its_first_poll_has_returned() {
    on_all(|runtime| async move {
        let recorder = Recorder::new();
        let mut group = runtime.group();
        let noted = recorder.clone();
        let first = group
            .add("first", |scope| async move {
                noted.note("first poll");
                std::thread::yield_now();
                noted.note("first poll is over");
                scope.stopped().await;
            })
            .id();
        let (noted, handle) = (recorder.clone(), group.handle());
        let second = |_| async move {
            noted.note("second");
            handle.stop();
        };
        group.add("second", second).needs(first);
        group.run().await.unwrap();
        let expected = ["first poll", "first poll is over", "second"];
        assert_eq!(recorder.events(), expected);
    });
}

#[test]
fn g7_one_that_finishes_is_ready() {
    on_all(|runtime| async move {
        let recorder = Recorder::new();
        let mut group = runtime.group();
        let noted = recorder.clone();
        let migrations = group
            .add("migrations", |scope| async move {
                scope.starting();
                future::yield_now().await;
                noted.note("migrated");
            })
            .id();
        let noted = recorder.clone();
        group
            .add("server", |_| async move { noted.note("serving") })
            .needs(migrations);
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Ended);
        assert_eq!(recorder.events(), ["migrated", "serving"]);
    });
}

#[test]
fn g7_services_that_need_nothing_of_each_other_start_and_stop_together() {
    on_all(|runtime| async move {
        let (mut group, recorder) = (runtime.group(), Recorder::new());
        let base = group.add("base", noting(&recorder, "base")).id();
        // Each waits for the other: one after the other would never end.
        let (up, told) = ([Gate::new(), Gate::new()], [Gate::new(), Gate::new()]);
        for (own, other) in [(0, 1), (1, 0)] {
            let (up, told) = (up.clone(), told.clone());
            let service = move |scope: Scope<'static>| async move {
                scope.starting();
                up[own].open();
                up[other].pass().await;
                scope.ready();
                scope.stopped().await;
                told[own].open();
                told[other].pass().await;
            };
            group.add("one of two", service).needs(base);
        }
        let handle = group.handle();
        group.race("end", async move {
            handle.started().await.unwrap();
            handle.stop();
        });
        group.run().await.unwrap();
        assert_eq!(recorder.events(), ["base up", "base told", "base gone"]);
    });
}

#[test]
fn g7_the_order_holds_when_cancelling() {
    on_all(|runtime| async move {
        let (mut group, recorder) = (runtime.group(), Recorder::new());
        let mut below: Option<ServiceId> = None;
        for name in ["db", "http", "jobs"] {
            let noted = recorder.clone();
            let deaf = move |scope: Scope<'static>| async move {
                let child = noted.on_drop(&format!("child of {name} gone"));
                scope.spawn(async move {
                    let _gone = child;
                    pending::<()>().await;
                });
                let _gone = noted.on_drop(&format!("{name} gone"));
                pending::<()>().await;
            };
            let added = group.add(name, deaf);
            below = Some(match below {
                Some(below) => added.needs(below).id(),
                None => added.id(),
            });
        }
        let handle = group.handle();
        group.race("end", async move {
            handle.started().await.unwrap();
            handle.cancel();
        });
        let error = group.run().await.unwrap_err();
        assert!(error.is_timeout());
        // Who cancels may be caught by it too.
        let stragglers = error.outcome().unwrap().stragglers();
        assert_eq!(stragglers.filter(|one| one.name() != "end").count(), 3);
        assert_in_order(&recorder, &["jobs", "http", "db"]);
    });
}

/// That of each name all is gone, its child too, before any of the next is.
fn assert_in_order(recorder: &Recorder, names: &[&str]) {
    let events = recorder.events();
    assert_eq!(events.len(), 2 * names.len(), "{events:?}");
    for (pair, name) in events.chunks(2).zip(names) {
        assert!(pair.iter().all(|event| event.contains(name)), "{events:?}");
    }
}

#[test]
fn g7_a_needed_service_is_told_late_also_when_the_time_is_over() {
    on_all(|runtime| async move {
        let recorder = Recorder::new();
        let mut group = runtime.group().drain_timeout(Duration::ZERO);
        let token = std::sync::Arc::new(std::sync::OnceLock::new());
        let given = token.clone();
        let db = group
            .add("db", |scope| async move {
                given.set(scope.token()).unwrap();
                pending::<()>().await;
            })
            .id();
        let noted = recorder.clone();
        let http = |_| async move {
            struct OnDrop(
                Recorder,
                std::sync::Arc<std::sync::OnceLock<neap::StopToken>>,
            );
            impl Drop for OnDrop {
                fn drop(&mut self) {
                    self.0
                        .note(format!("db told: {}", self.1.get().unwrap().is_stopped()));
                }
            }
            let _looks = OnDrop(noted, token);
            pending::<()>().await;
        };
        group.add("http", http).needs(db);
        let handle = group.handle();
        group.race("end", async move {
            handle.started().await.unwrap();
            handle.stop();
        });
        group.run().await.unwrap_err();
        assert_eq!(recorder.events(), ["db told: false"]);
    });
}

#[test]
fn g7_the_order_holds_when_one_that_blocks_is_abandoned() {
    // One thread is not enough: `db` is to be dropped while another thread is blocked.
    let threaded = [SmolThreads, AsyncStd, ThreadPool];
    on(&threaded, |runtime| async move {
        let recorder = Recorder::new();
        let mut group = runtime
            .group()
            .drain_timeout(Duration::ZERO)
            .cancel_timeout(Duration::from_millis(300));
        let db = group.add("db", noting(&recorder, "db")).id();
        let (gate, thread_gate) = std::sync::mpsc::channel::<()>();
        let noted = recorder.clone();
        let blocked = |scope: Scope<'static>| async move {
            scope.starting();
            scope.ready();
            noted.note("blocked");
            let _ = thread_gate.recv();
        };
        group.add("blocked", blocked).needs(db);
        let (handle, noted) = (group.handle(), recorder.clone());
        let end = async move {
            noted.wait_for(2).await;
            handle.stop();
        };
        let (ended, ()) = future::zip(group.run(), end).await;
        let error = ended.unwrap_err();
        let outcome = error.outcome().unwrap();
        assert!(matches!(exit_of(outcome, "blocked"), Exit::Abandoned));
        assert!(matches!(
            exit_of(outcome, "db"),
            Exit::Finished | Exit::Cancelled
        ));
        assert_eq!(recorder.events()[..2], ["db up", "blocked"]);
        assert_eq!(recorder.events().last().unwrap(), "db gone");
        drop(gate);
    });
}

#[test]
fn g7_the_order_holds_when_run_is_dropped() {
    on_all(|runtime| async move {
        let recorder = Recorder::new();
        let mut group = runtime.group();
        let mut below: Option<ServiceId> = None;
        for name in ["db", "http", "jobs"] {
            let noted = recorder.clone();
            let deaf = move |_: Scope<'static>| async move {
                let _gone = noted.on_drop(&format!("{name} gone"));
                noted.note("up");
                pending::<()>().await;
            };
            let added = group.add(name, deaf);
            below = Some(match below {
                Some(below) => added.needs(below).id(),
                None => added.id(),
            });
        }
        let (handle, run) = (group.handle(), group.run());
        let up = async {
            handle.started().await.unwrap();
            None
        };
        let ended = future::or(async { Some(run.await) }, up).await;
        assert!(ended.is_none());
        if runtime.is_in_place() {
            assert_eq!(recorder.events().len(), 6, "gone when the drop returns");
        }
        recorder.wait_for(6).await;
        let expected = ["up", "up", "up", "jobs gone", "http gone", "db gone"];
        assert_eq!(recorder.events(), expected);
    });
}

#[test]
fn g7_the_background_is_stopped_last_unless_it_needs_one_that_is_not() {
    on_all(|runtime| async move {
        let recorder = Recorder::new();
        let mut group = runtime.group();
        group
            .add("metrics", noting(&recorder, "metrics"))
            .background();
        let db = group.add("db", noting(&recorder, "db")).id();
        group
            .add("prober", noting(&recorder, "prober"))
            .needs(db)
            .background();
        let handle = group.handle();
        group.race("end", async move {
            handle.started().await.unwrap();
            handle.stop();
        });
        group.run().await.unwrap();
        let told: Vec<_> = recorder.events().split_off(3);
        let expected = [
            "prober told",
            "prober gone",
            "db told",
            "db gone",
            "metrics told",
            "metrics gone",
        ];
        assert_eq!(told, expected);
    });
}

#[test]
fn g7_the_background_is_cancelled_last() {
    on_all(|runtime| async move {
        let recorder = Recorder::new();
        let mut group = runtime.group().drain_timeout(Duration::ZERO);
        for name in ["metrics", "server"] {
            let noted = recorder.clone();
            let deaf = move |_: Scope<'static>| async move {
                let _gone = noted.on_drop(name);
                pending::<()>().await;
            };
            let added = group.add(name, deaf);
            if name == "metrics" {
                added.background();
            }
        }
        let handle = group.handle();
        group.race("end", async move {
            handle.started().await.unwrap();
            handle.stop();
        });
        group.run().await.unwrap_err();
        assert_eq!(recorder.events(), ["server", "metrics"]);
    });
}

#[test]
fn g7_a_needs_of_another_group_s_id_is_an_error_and_nothing_starts() {
    on_all(|runtime| async move {
        let foreign = Group::new().add("db", |_| async {}).id();
        let mut group = runtime.group();
        let handle = group.handle();
        group.add("first", never_started);
        group.add("http", never_started).needs(foreign);
        let error = group.run().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "service `http` failed: it needs a service of another group"
        );
        assert!(matches!(
            exit_of(error.outcome().unwrap(), "first"),
            Exit::NotStarted
        ));
        drop(handle);

        let mut group = runtime.group();
        let handle = group.handle();
        group.add("first", move |_| async move {
            let options = ServiceOptions::new().needs(foreign);
            let refused = handle.add_with("http", options, |_| async {}).unwrap_err();
            assert_eq!(
                refused.to_string(),
                "service `http` was refused: it needs a service of another group"
            );
        });
        group.run().await.unwrap();
    });
}

#[test]
fn g7_a_service_cannot_need_itself() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let added = group.add("narcissus", never_started);
        let id = added.id();
        added.needs(id);
        let error = group.run().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "service `narcissus` failed: it needs itself"
        );
    });
}

#[test]
fn g7_holds_for_services_that_are_added_while_the_group_runs() {
    on_all(|runtime| async move {
        let (mut group, recorder) = (runtime.group(), Recorder::new());
        let gate = Gate::new();
        let (noted, passed) = (recorder.clone(), gate.clone());
        let db = group
            .add("db", |scope| async move {
                scope.starting();
                passed.pass().await;
                noted.note("db ready");
                scope.ready();
                scope.stopped().await;
                noted.note("db told");
            })
            .id();
        let (noted, handle) = (recorder.clone(), group.handle());
        group.race("adder", async move {
            let options = ServiceOptions::new().needs(db);
            let late = noting(&noted, "late");
            handle.add_with("late", options.clone(), late).unwrap();
            gate.open();
            noted.wait_for(2).await;
            let later = noting(&noted, "later");
            handle.add_with("later", options, later).unwrap();
            handle.started().await.unwrap();
            handle.stop();
        });
        group.run().await.unwrap();
        let events = recorder.events();
        assert_eq!(events[..3], ["db ready", "late up", "later up"]);
        assert_eq!(events.last().unwrap(), "db told");
    });
}

#[test]
fn a_service_added_before_the_start_by_way_of_a_handle_waits_for_it() {
    on_all(|runtime| async move {
        let (group, recorder) = (runtime.group(), Recorder::new());
        let (handle, noted) = (group.handle(), recorder.clone());
        handle
            .add("early", |_| async move { noted.note("early") })
            .unwrap();
        for _ in 0..20 {
            future::yield_now().await;
        }
        recorder.note("running");
        group.run().await.unwrap();
        assert_eq!(recorder.events(), ["running", "early"]);
    });
}

#[test]
fn g8_a_failed_start_rolls_back_in_order() {
    on_all(|runtime| async move {
        let recorder = Recorder::new();
        let mut group = runtime.group();
        let db = group.add("db", noting(&recorder, "db")).id();
        let http = group.add("http", noting(&recorder, "http")).needs(db).id();
        let bad = |scope: Scope<'static>| async move {
            scope.starting();
            future::yield_now().await;
            Err("no such table")
        };
        let jobs = group.add("jobs", bad).needs(http).id();
        group.add("never", never_started).needs(jobs);
        let error = group.run().await.unwrap_err();
        assert_eq!(error.to_string(), "service `jobs` failed: no such table");
        assert!(matches!(
            exit_of(error.outcome().unwrap(), "never"),
            Exit::NotStarted
        ));
        let expected = [
            "db up",
            "http up",
            "http told",
            "http gone",
            "db told",
            "db gone",
        ];
        assert_eq!(recorder.events(), expected);
    });
}

#[test]
fn g8_a_start_that_times_out_rolls_back_in_order() {
    on_all(|runtime| async move {
        let recorder = Recorder::new();
        let mut group = runtime.group();
        let db = group.add("db", noting(&recorder, "db")).id();
        let slow = |scope: Scope<'static>| async move {
            scope.stopped().await;
        };
        let slow = group
            .add("slow", slow)
            .needs(db)
            .start_timeout(Duration::from_millis(10))
            .id();
        group.add("never", never_started).needs(slow);
        let error = group.run().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "service `slow` failed: it was not ready 10ms after its start"
        );
        assert_eq!(
            *error.outcome().unwrap().cause(),
            Cause::Failed("slow".into())
        );
        assert_eq!(recorder.events(), ["db up", "db told", "db gone"]);
    });
}

#[test]
fn g8_one_that_is_ready_in_time_may_take_its_time_afterwards() {
    on_all(|runtime| async move {
        let (clock, hour) = (Clock::new(), Duration::from_secs(3600));
        let mut group = runtime.group();
        group.clock(&clock);
        let quick = move |scope: Scope<'static>| async move {
            future::yield_now().await;
            scope.ready();
            clock.advance(hour * 2);
            for _ in 0..20 {
                future::yield_now().await;
            }
        };
        group.add("quick", quick).start_timeout(hour);
        group.run().await.unwrap();
    });
}

#[test]
fn started_waits_for_all_and_says_so_if_they_never_will_be() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let handle = group.handle();
        group.add("failing", |scope| async move {
            scope.starting();
            future::yield_now().await;
            Err("xxx")
        });
        let (run, started) = future::zip(group.run(), handle.started()).await;
        run.unwrap_err();
        assert_eq!(started, Err(Cause::Failed("failing".into())));
        assert!(handle.started().await.is_err(), "nor later");
    });
}

#[test]
fn started_is_not_there_before_the_group_runs() {
    limited(|| {
        let group = Group::new();
        let handle = group.handle();
        let once = future::block_on(future::poll_once(handle.started()));
        assert_eq!(once, None);
    });
}

#[test]
fn a_nested_group_is_ready_when_all_its_services_are() {
    on_all(|runtime| async move {
        let (recorder, gate) = (Recorder::new(), Gate::new());
        let mut inner = runtime.group();
        let (noted, passed) = (recorder.clone(), gate.clone());
        inner.add("slow", |scope| async move {
            scope.starting();
            passed.pass().await;
            noted.note("ready");
            scope.ready();
            scope.stopped().await;
        });
        let mut group = runtime.group();
        let nested = group.add("inner", inner.into_service()).id();
        let (noted, handle) = (recorder.clone(), group.handle());
        let after = |_: Scope<'static>| async move {
            noted.note("after");
            handle.stop();
        };
        group.add("after", after).needs(nested);
        let noted = recorder.clone();
        group.add("opener", |_| async move {
            for _ in 0..20 {
                future::yield_now().await;
            }
            noted.note("opening");
            gate.open();
        });
        group.run().await.unwrap();
        assert_eq!(recorder.events(), ["opening", "ready", "after"]);
    });
}
