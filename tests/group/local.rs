//! Groups whose services stay on one thread: the same promises, in runner and on local executors.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::pin::Pin;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use futures_lite::{StreamExt, future, stream};
use neap::test::{Clock, Event, Recorder};
use neap::{
    Cause, Error, Exit, Group, Handle, LocalGroup, LocalScope, OnExit, Outcome, Restart, Scope,
    ServiceOptions, restart, restart_local,
};
use smol::LocalExecutor;

use crate::runtimes::{Gate, limited};
use crate::support::{Notes, exit_of, exits, stragglers};

const LONG: Duration = Duration::from_secs(10 * 3600);

/// Where a local group runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runner {
    InPlace,
    /// On a local executor that the group is given.
    On,
    /// On a local executor that its run is given.
    RunOn,
}

use Runner::*;

type Ended = Result<Outcome, Error>;

impl Runner {
    fn group(self) -> LocalGroup<'static> {
        match self {
            InPlace | RunOn => Group::local(),
            On => Group::local_on(|task| executor().spawn(task)),
        }
    }

    fn run(self, group: LocalGroup<'static>) -> Pin<Box<dyn Future<Output = Ended>>> {
        match self {
            InPlace | On => Box::pin(group.run()),
            RunOn => Box::pin(group.run_on(|task| executor().spawn(task))),
        }
    }
}

/// Returns the executor of this thread, on which one test runs.
fn executor() -> &'static LocalExecutor<'static> {
    thread_local!(static EXECUTOR: &'static LocalExecutor<'static> = Box::leak(Box::default()));
    EXECUTOR.with(|executor| *executor)
}

/// Runs a test with each.
fn on_each<F: Future<Output = ()> + 'static>(test: fn(Runner) -> F) {
    for runner in [InPlace, On, RunOn] {
        eprintln!("{runner:?}");
        limited(move || future::block_on(executor().run(test(runner))));
    }
}

/// A list of what happened, that stays on its thread.
#[derive(Clone, Default)]
struct List(Rc<RefCell<Vec<String>>>);

impl List {
    fn note(&self, event: impl Into<String>) {
        self.0.borrow_mut().push(event.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    /// Returns a guard that adds an event when it is dropped.
    fn on_drop(&self, event: &'static str) -> OnDrop {
        OnDrop(self.clone(), event)
    }
}

struct OnDrop(List, &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

#[test]
fn g01_the_first_failure_stops_the_others_and_is_returned() {
    on_each(|runner| async move {
        let (mut group, list) = (runner.group(), List::default());
        let noted = list.clone();
        group.add("obedient", async move |scope| {
            noted.note(scope.stopped().await.to_string());
        });
        let shared = Rc::new("xxx");
        group.add("culprit", async move |_| Err(*shared));
        let error = runner.run(group).await.unwrap_err();
        assert_eq!(error.to_string(), "service `culprit` failed: xxx");
        assert_eq!(list.all(), ["failure of `culprit`"]);
        assert_eq!(exits(error.outcome().unwrap()), ["finished", "failed: xxx"]);
    });
}

#[test]
fn g02_services_that_finish_well_stop_nobody_and_their_children_are_joined() {
    on_each(|runner| async move {
        let (mut group, list) = (runner.group(), List::default());
        for name in ["first", "second"] {
            let list = list.clone();
            group.add(name, async move |scope: LocalScope<'static>| {
                let inner = scope.clone();
                let child = list.clone();
                scope.spawn(async move {
                    future::yield_now().await;
                    child.note("child");
                    inner.spawn(async move { child.note("grandchild") });
                });
                list.note(scope.name());
            });
        }
        let outcome = runner.run(group).await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Ended);
        let mut events = list.all();
        events.sort();
        assert_eq!(
            events,
            [
                "child",
                "child",
                "first",
                "grandchild",
                "grandchild",
                "second"
            ]
        );
    });
}

#[test]
fn g03_a_panic_is_a_failure_of_its_service() {
    on_each(|runner| async move {
        let mut group = runner.group();
        let obedient = async |scope: LocalScope<'static>| {
            scope.stopped().await;
        };
        group.add("obedient", obedient);
        let shared = Rc::new("out of paper");
        group.add("printer", async move |scope: LocalScope<'static>| {
            scope.spawn(async move { panic!("{shared}") });
        });
        let error = runner.run(group).await.unwrap_err();
        assert_eq!(error.service(), Some("printer"));
        assert_eq!(error.panic_message(), Some("out of paper"));
    });
}

#[test]
fn g05_a_stop_before_run_is_remembered_and_nothing_starts() {
    on_each(|runner| async move {
        let (mut group, list) = (runner.group(), List::default());
        let noted = list.clone();
        let first = group
            .add("first", async move |_| noted.note("started"))
            .id();
        let noted = list.clone();
        group
            .add("second", async move |_| noted.note("started"))
            .needs(first);
        group.handle().add("third", |_| async {}).unwrap();
        group.handle().stop();
        let outcome = runner.run(group).await.unwrap();
        assert_eq!(exits(&outcome), ["not started"; 3]);
        assert!(list.all().is_empty());
    });
}

#[test]
fn g06_a_handle_adds_from_another_thread_and_is_refused_after_the_stop() {
    on_each(|runner| async move {
        let (mut group, notes) = (runner.group(), Notes::new());
        let (handle, added) = (group.handle(), notes.clone());
        let local = thread::current().id();
        let gate = Gate::new();
        let opened = gate.clone();
        group.add("waits", async move |_| opened.pass().await);
        let adding = thread::spawn(move || {
            let (noted, other) = (added.clone(), handle.clone());
            let service = move |scope: Scope<'static>| async move {
                assert_eq!(thread::current().id(), local);
                scope.spawn(async move {
                    assert_eq!(thread::current().id(), local);
                    noted.note("child");
                    gate.open();
                });
            };
            handle.add("added", service).unwrap();
            future::block_on(added.wait_for(1));
            other.stop();
            assert!(other.add("late", |_| async {}).is_err());
        });
        let outcome = runner.run(group).await.unwrap();
        adding.join().unwrap();
        assert_eq!(notes.all(), ["child"]);
        assert!(exits(&outcome).iter().all(|exit| exit == "finished"));
    });
}

#[test]
fn g07_needs_give_the_order_of_starts_and_stops() {
    on_each(|runner| async move {
        let (mut group, list) = (runner.group(), List::default());
        let handle = group.handle();
        let noted = list.clone();
        let db = group
            .add("db", async move |scope: LocalScope<'static>| {
                scope.starting();
                future::yield_now().await;
                noted.note("db is ready");
                scope.ready();
                scope.stopped().await;
                noted.note("db stops");
            })
            .id();
        let noted = list.clone();
        group
            .add("http", async move |scope: LocalScope<'static>| {
                noted.note("http starts");
                handle.stop();
                scope.stopped().await;
                future::yield_now().await;
                noted.note("http ends");
            })
            .needs(db);
        runner.run(group).await.unwrap();
        assert_eq!(
            list.all(),
            ["db is ready", "http starts", "http ends", "db stops"]
        );
    });
}

#[test]
fn g09_at_the_deadline_a_service_and_its_children_are_dropped() {
    on_each(|runner| async move {
        let (clock, recorder, list) = (Clock::new(), Recorder::new(), List::default());
        let mut group = runner.group().drain_timeout(LONG);
        group = group.clock(&clock).record(&recorder);
        let (own, child) = (list.on_drop("service"), list.on_drop("child"));
        group.add("deaf", async move |scope: LocalScope<'static>| {
            let _own = own;
            scope.spawn(async move {
                let _child = child;
                pending::<()>().await;
            });
            pending::<()>().await;
        });
        let handle = group.handle();
        let test = async {
            handle.started().await.unwrap();
            handle.stop();
            recorder
                .wait_for(|event| *event == Event::Stopped("deaf".into()))
                .await;
            clock.advance(LONG);
        };
        let (ended, ()) = future::zip(runner.run(group), test).await;
        let error = ended.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(stragglers(error.outcome().unwrap()), ["deaf"]);
        let mut events = list.all();
        events.sort();
        assert_eq!(events, ["child", "service"]);
    });
}

#[test]
fn g09_a_handle_cancels_at_once() {
    on_each(|runner| async move {
        let mut group = runner.group().drain_timeout(Duration::MAX);
        group.add("deaf", |_| pending::<()>());
        let handle = group.handle();
        group.add("impatient", async move |_| handle.cancel());
        let error = runner.run(group).await.unwrap_err();
        assert_eq!(error.service(), Some("deaf"));
    });
}

#[test]
fn g11_dropping_run_cancels_every_service() {
    on_each(|runner| async move {
        let (mut group, list) = (runner.group(), List::default());
        let handle = group.handle();
        let (own, child) = (list.on_drop("service"), list.on_drop("child"));
        group.add("service", async move |scope: LocalScope<'static>| {
            let _own = own;
            scope.spawn(async move {
                let _child = child;
                pending::<()>().await;
            });
            pending::<()>().await;
        });
        let all_run = async {
            handle.started().await.unwrap();
            for _ in 0..5 {
                future::yield_now().await;
            }
        };
        future::or(async { drop(runner.run(group).await) }, all_run).await;
        while runner != InPlace && list.all().len() < 2 {
            future::yield_now().await;
        }
        let mut events = list.all();
        events.sort();
        assert_eq!(events, ["child", "service"]);
        assert_eq!(handle.cause(), Some(Cause::Dropped));
    });
}

#[test]
fn g11_a_group_that_is_dropped_without_run_leaves_nothing() {
    on_each(|runner| async move {
        let (mut group, list) = (runner.group(), List::default());
        let (own, added) = (list.on_drop("own"), Notes::new());
        group.add("own", async move |_| drop(own));
        let guard = added.on_drop("added");
        let service = move |_: Scope<'static>| async move { drop(guard) };
        group.handle().add("added", service).unwrap();
        drop(runner.run(group));
        assert_eq!(
            (list.all(), added.all()),
            (vec!["own".into()], vec!["added".into()])
        );
    });
}

#[test]
fn g12_a_second_item_of_a_source_that_stays_on_its_thread_cancels() {
    on_each(|runner| async move {
        let items = Rc::new(Cell::new(0));
        let source = stream::repeat(()).map(move |()| {
            items.set(items.get() + 1);
            Cause::Requested
        });
        let mut group = runner.group().drain_timeout(Duration::MAX);
        let (sender, receiver) = async_channel::unbounded();
        group = group.stop_on(source.zip(receiver).map(|(cause, ())| cause));
        group.add("deaf", async move |scope: LocalScope<'static>| {
            sender.try_send(()).unwrap();
            scope.stopped().await;
            sender.try_send(()).unwrap();
            pending::<()>().await;
        });
        assert!(runner.run(group).await.unwrap_err().is_timeout());
    });
}

#[test]
fn g14_a_race_is_dropped_at_the_stop_and_is_no_straggler() {
    on_each(|runner| async move {
        let (mut group, list) = (runner.group(), List::default());
        let guard = list.on_drop("dropped");
        group.race("for ever", async move {
            let _guard = guard;
            pending::<()>().await;
        });
        group.add("short", async |_| {}).on_exit(OnExit::Stop);
        let outcome = runner.run(group).await.unwrap();
        assert!(matches!(exit_of(&outcome, "for ever"), Exit::Stopped));
        assert!(stragglers(&outcome).is_empty());
        assert_eq!(list.all(), ["dropped"]);
    });
}

#[test]
fn g17_at_most_so_many_run_at_once() {
    on_each(|runner| async move {
        let mut group = runner.group().limit(2);
        let running = Rc::new(Cell::new(0));
        for _ in 0..10 {
            let running = Rc::clone(&running);
            group.add("job", async move |_| {
                running.set(running.get() + 1);
                assert!(running.get() <= 2);
                future::yield_now().await;
                running.set(running.get() - 1);
            });
        }
        runner.run(group).await.unwrap();
    });
}

#[test]
fn g16_what_a_handle_adds_with_options_and_in_the_background() {
    on_each(|runner| async move {
        let (mut group, list) = (runner.group(), List::default());
        let handle = group.handle();
        let noted = list.clone();
        group.add("operator", async move |scope: LocalScope<'static>| {
            let options = ServiceOptions::new().background();
            let metrics = |scope: Scope<'static>| async move {
                assert_eq!(scope.stopped().await, Cause::Ended);
            };
            handle.add_with("metrics", options, metrics).unwrap();
            scope.run_until_stopped(future::yield_now()).await;
            noted.note("done");
        });
        runner.run(group).await.unwrap();
        assert_eq!(list.all(), ["done"]);
    });
}

#[test]
fn groups_of_both_kinds_are_services_of_a_local_one() {
    on_each(|runner| async move {
        let list = List::default();
        let mut shared = Group::new();
        shared.add("deep", |scope| async move {
            scope.stopped().await;
        });
        let mut local = runner.group();
        let noted = list.clone();
        local.add("deep", async move |scope: LocalScope<'static>| {
            noted.note(scope.stopped().await.to_string());
            Err("too deep")
        });
        let mut group = runner.group();
        let handle = group.handle();
        let below = group.add_shared("shared", shared.into_service()).id();
        let above = group.add("local", local.into_service()).needs(below).id();
        group
            .add("stopper", async move |_| assert!(handle.stop()))
            .needs(above);
        let error = runner.run(group).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "service `local` failed: service `deep` failed: too deep"
        );
        assert_eq!(list.all(), ["request"]);
    });
}

#[test]
fn a_service_is_restarted_in_a_local_group() {
    on_each(|runner| async move {
        let policy = Restart::on_failure()
            .intensity(2, LONG)
            .backoff(Duration::ZERO, Duration::ZERO);
        let mut group = runner.group();
        let failing = |_| async { Err::<(), _>("xxx") };
        group.add_shared("shared", restart(policy.clone(), failing));
        let error = runner.run(group).await.unwrap_err();
        assert!(error.to_string().contains("gave up after 2 restarts"));

        let (mut group, list) = (runner.group(), List::default());
        let noted = list.clone();
        let failing = move |scope: LocalScope<'static>| {
            let noted = noted.clone();
            async move {
                scope.spawn(async move { noted.note("child") });
                future::yield_now().await;
                Err::<(), _>("xxx")
            }
        };
        group.add("local", restart_local(policy, failing));
        let error = runner.run(group).await.unwrap_err();
        assert!(error.to_string().contains("gave up after 2 restarts"));
        assert_eq!(list.all(), ["child"; 3]);
    });
}

#[test]
fn services_borrow_from_the_stack() {
    limited(|| {
        let (text, count) = (String::from("borrowed"), Cell::new(0));
        let executor = LocalExecutor::new();
        let mut group = Group::local();
        group.add("reader", async |scope| {
            count.set(count.get() + text.len());
            scope.spawn(async { count.set(count.get() + 1) });
        });
        let run = group.run_on(|task| executor.spawn(task).detach());
        future::block_on(executor.run(run)).unwrap();
        assert_eq!(count.get(), 9);
    });
}

#[test]
fn a_handle_and_a_token_go_to_other_threads() {
    fn is_send<T: Send + Sync>(_: &T) {}

    let group = Group::local();
    let handle: Handle<'_> = group.handle();
    is_send(&handle);
    is_send(&handle.token());
}

#[test]
fn g22_children_have_their_turn_whatever_handles_add() {
    limited(|| {
        let (polled, added) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
        let mut group = Group::local();
        let child = Rc::clone(&polled);
        group.add("parent", async move |scope| {
            scope.spawn(async move { child.set(true) }).await;
            scope.stop();
        });
        // Each service that a handle adds adds the next one.
        fn add_next(handle: Handle<'static>) {
            let next = handle.clone();
            let _ = handle.add("chain", async move |_| add_next(next));
        }
        add_next(group.handle());
        let counted = Rc::clone(&added);
        let mut run = std::pin::pin!(group.run());
        let ended = future::block_on(std::future::poll_fn(|cx| {
            counted.set(counted.get() + 1);
            assert!(counted.get() < 100, "the child has had no turn");
            run.as_mut().poll(cx)
        }));
        ended.unwrap();
        assert!(polled.get());
    });
}
