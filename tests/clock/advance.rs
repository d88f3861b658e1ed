//! What a move of the clock waits for, on every runtime.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_lite::future;
use neap::test::{Clock, Event, Recorder};
use neap::{Group, Restart, Scope, State, restart};

use crate::runtimes::{Runtime, THREADED, limited, on, on_all};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A count that services add to. Clones are the same count.
#[derive(Clone, Default)]
struct Turns(Arc<AtomicUsize>);

impl Turns {
    fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Adds a service that has a turn every 5 seconds.
fn add_poller(group: &mut Group<'static>, clock: &Clock) -> Turns {
    let (turns, clock) = (Turns::default(), clock.clone());
    let noted = turns.clone();
    group.race("poller", async move {
        loop {
            clock.sleep(s(5)).await;
            noted.add();
        }
    });
    turns
}

/// Runs a group beside its test, and stops it after that.
async fn beside(group: Group<'static>, test: impl Future<Output = ()>) {
    let handle = group.handle();
    let test = async {
        test.await;
        handle.stop();
    };
    future::zip(group.run(), test).await.0.unwrap();
}

#[test]
fn three_moves_of_five_seconds_are_three_turns_and_so_is_one_of_fifteen() {
    on_all(|runtime| async move {
        let (clock, mut group) = (Clock::new(), runtime.group());
        group = group.clock(&clock);
        let turns = add_poller(&mut group, &clock);
        beside(group, async {
            for turn in 1..=3 {
                clock.advance(s(5)).await;
                assert_eq!(turns.count(), turn);
            }
            clock.advance(s(15)).await;
            assert_eq!(turns.count(), 6);
            clock.advance(s(4)).await;
            assert_eq!(turns.count(), 6);
        })
        .await;
    });
}

#[test]
fn each_turn_is_at_its_own_time() {
    on_all(|runtime| async move {
        let (clock, mut group) = (Clock::new(), runtime.group());
        group = group.clock(&clock);
        let (times, seen) = async_channel::unbounded();
        let (start, hand) = (clock.now(), clock.clone());
        group.race("poller", async move {
            loop {
                hand.sleep(s(2)).await;
                times.try_send(hand.now() - start).unwrap();
            }
        });
        beside(group, async {
            clock.advance(s(7)).await;
            assert_eq!(clock.now() - start, s(7));
            let times: Vec<_> = std::iter::from_fn(|| seen.try_recv().ok()).collect();
            assert_eq!(times, [s(2), s(4), s(6)]);
        })
        .await;
    });
}

#[test]
fn what_was_woken_by_what_was_woken_has_run_too() {
    on_all(|runtime| async move {
        let (clock, mut group, turns) = (Clock::new(), runtime.group(), Turns::default());
        group = group.clock(&clock);
        let (first, from_first) = async_channel::unbounded();
        let (second, from_second) = async_channel::unbounded();
        let (hand, noted) = (clock.clone(), turns.clone());
        group.race("first", async move {
            hand.sleep(s(1)).await;
            first.send(()).await.unwrap();
            pending::<()>().await;
        });
        group.race("second", async move {
            from_first.recv().await.unwrap();
            for _ in 0..10 {
                future::yield_now().await;
            }
            second.send(()).await.unwrap();
            pending::<()>().await;
        });
        group.add("third", |scope: Scope<'static>| async move {
            from_second.recv().await.unwrap();
            scope.spawn(async move {
                future::yield_now().await;
                noted.add();
            });
            drop(scope.stopped().await);
        });
        beside(group, async {
            clock.advance(s(1)).await;
            assert_eq!(turns.count(), 1);
        })
        .await;
    });
}

#[test]
fn a_service_that_is_added_meanwhile_counts_before_its_first_poll() {
    on_all(|runtime| async move {
        let (clock, mut group) = (Clock::new(), runtime.group());
        group = group.clock(&clock);
        group.add("steady", |scope| async move { drop(scope.stopped().await) });
        let handle = group.handle();
        beside(group, async {
            for _ in 0..20 {
                let (turns, hand) = (Turns::default(), clock.clone());
                let noted = turns.clone();
                handle
                    .add("late", |_| async move {
                        hand.sleep(s(3)).await;
                        noted.add();
                    })
                    .unwrap();
                clock.advance(s(3)).await;
                assert_eq!(turns.count(), 1);
            }
        })
        .await;
    });
}

#[test]
fn a_run_counts_before_its_first_poll() {
    on_all(|runtime| async move {
        if runtime != Runtime::SmolThreads && runtime != Runtime::Smol {
            return;
        }
        let (clock, mut group) = (Clock::new(), runtime.group());
        group = group.clock(&clock);
        let (turns, handle) = (add_poller(&mut group, &clock), group.handle());
        let running = smol::spawn(group.run());
        clock.advance(s(10)).await;
        assert_eq!(turns.count(), 2);
        handle.stop();
        running.await.unwrap();
    });
}

#[test]
fn a_thread_may_wait_for_groups_on_other_threads() {
    on(&THREADED, |runtime| async move {
        let (clock, mut group) = (Clock::new(), runtime.group());
        group = group.clock(&clock);
        let (turns, handle) = (add_poller(&mut group, &clock), group.handle());
        let run = group.run();
        let test = std::thread::spawn(move || {
            future::block_on(clock.advance(s(50)));
            handle.stop();
        });
        run.await.unwrap();
        test.join().unwrap();
        assert_eq!(turns.count(), 10);
    });
}

#[test]
fn a_service_may_wait_for_the_others_of_its_group() {
    on_all(|runtime| async move {
        let (clock, mut group) = (Clock::new(), runtime.group());
        group = group.clock(&clock);
        let (turns, handle) = (add_poller(&mut group, &clock), group.handle());
        let (hand, polled) = (clock.clone(), turns.clone());
        let both = Turns::default();
        for _ in 0..2 {
            let (hand, polled, both, handle) =
                (hand.clone(), polled.clone(), both.clone(), handle.clone());
            group.add("test", move |_| async move {
                hand.advance(s(15)).await;
                assert!(polled.count() >= 3);
                both.add();
                if both.count() == 2 {
                    handle.stop();
                }
            });
        }
        group.run().await.unwrap();
        assert_eq!(turns.count(), 6, "one moved the clock on from the other");
    });
}

#[test]
fn several_groups_on_one_clock_come_to_rest_together() {
    on_all(|runtime| async move {
        let (clock, mut first, mut second) = (Clock::new(), runtime.group(), runtime.group());
        let mut inner = runtime.group();
        let innermost = add_poller(&mut inner, &clock);
        first = first.clock(&clock);
        second = second.clock(&clock);
        first.add("inner", inner.into_service());
        let (one, other) = (
            add_poller(&mut first, &clock),
            add_poller(&mut second, &clock),
        );
        let (stop_first, stop_second) = (first.handle(), second.handle());
        let test = async {
            clock.advance(s(25)).await;
            let turns = [one.count(), other.count(), innermost.count()];
            assert_eq!(turns, [5; 3]);
            stop_first.stop();
            // One that has ended keeps nobody.
            clock.advance(s(5)).await;
            assert_eq!(other.count(), 6);
            stop_second.stop();
        };
        let runs = future::zip(first.run(), second.run());
        let ((first, second), ()) = future::zip(runs, test).await;
        first.unwrap();
        second.unwrap();
    });
}

#[test]
fn a_deadline_is_kept_before_the_move_returns() {
    on_all(|runtime| async move {
        let (clock, recorder) = (Clock::new(), Recorder::new());
        let mut group = runtime.group().drain_timeout(s(10));
        group = group.clock(&clock).record(&recorder);
        group.add("deaf", |_| pending::<()>());
        let handle = group.handle();
        let test = async {
            handle.started().await.unwrap();
            handle.stop();
            clock.advance(s(9)).await;
            assert_eq!(handle.status().services()[0].state(), State::Draining);
            clock.advance(s(1)).await;
            let cancelled = Event::Cancelled("deaf".into());
            assert_eq!(recorder.events().last(), Some(&cancelled));
        };
        let (ended, ()) = future::zip(group.run(), test).await;
        assert!(ended.unwrap_err().is_timeout());
    });
}

#[test]
fn a_restart_and_what_it_starts_are_waited_for() {
    on_all(|runtime| async move {
        let (clock, mut group, runs) = (Clock::new(), runtime.group(), Turns::default());
        group = group.clock(&clock);
        let counted = runs.clone();
        let policy = Restart::on_failure().backoff(s(1), s(1));
        let flaky = move |_: Scope<'static>| {
            let counted = counted.clone();
            async move {
                future::yield_now().await;
                counted.add();
                Err::<(), _>("xxx")
            }
        };
        group.add("flaky", restart(policy, flaky));
        beside(group, async {
            for run in 2..5 {
                clock.advance(s(1)).await;
                assert!(runs.count() >= run);
            }
        })
        .await;
    });
}

#[test]
fn as_a_statement_it_moves_at_once_and_waits_for_nothing() {
    limited(|| {
        let (clock, mut group) = (Clock::new(), Group::new());
        group = group.clock(&clock);
        let turns = add_poller(&mut group, &clock);
        let mut run = Box::pin(group.run());
        let mut poll = || assert!(future::block_on(future::poll_once(&mut run)).is_none());
        poll();
        let before = clock.now();
        clock.advance(s(15));
        assert_eq!((clock.now() - before, turns.count()), (s(15), 0));
        poll();
        assert_eq!(turns.count(), 1);
    });
}

#[test]
fn a_move_that_is_dropped_goes_the_rest_of_the_way_at_once() {
    limited(|| {
        let (clock, mut group) = (Clock::new(), Group::new());
        group = group.clock(&clock);
        let turns = add_poller(&mut group, &clock);
        let mut run = Box::pin(group.run());
        let (before, mut moving) = (clock.now(), clock.advance(s(60)));
        assert_eq!(clock.now(), before, "it has not been polled");
        let mut poll = || {
            assert!(future::block_on(future::poll_once(&mut run)).is_none());
            assert!(future::block_on(future::poll_once(&mut moving)).is_none());
        };
        poll();
        poll();
        assert_eq!((clock.now() - before, turns.count()), (s(10), 1));
        drop(moving);
        assert_eq!(clock.now() - before, s(60));
    });
}

#[test]
fn without_a_group_those_that_are_polled_beside_it_have_their_turns() {
    limited(|| {
        let (clock, turns) = (Clock::new(), Turns::default());
        let poller = async {
            loop {
                clock.sleep(s(5)).await;
                turns.add();
            }
        };
        future::block_on(future::or(poller, clock.advance(s(15))));
        assert_eq!(turns.count(), 3);
    });
}

#[test]
fn those_that_sleep_until_one_instant_run_in_the_order_in_which_they_went_to_sleep() {
    limited(|| {
        let (clock, mut group) = (Clock::new(), Group::new());
        group = group.clock(&clock);
        let (names, seen) = async_channel::unbounded();
        for (name, naps) in [("a", &[6][..]), ("b", &[4, 2]), ("c", &[1, 5]), ("d", &[6])] {
            let (hand, names) = (clock.clone(), names.clone());
            group.race(name, async move {
                for &nap in naps {
                    hand.sleep(s(nap)).await;
                }
                names.try_send(name).unwrap();
                pending::<()>().await;
            });
        }
        let test = async {
            clock.advance(s(6)).await;
            let names: Vec<_> = std::iter::from_fn(|| seen.try_recv().ok()).collect();
            assert_eq!(names, ["a", "d", "c", "b"]);
        };
        future::block_on(beside(group, test));
    });
}

#[test]
fn tasks_of_a_borrowed_executor_are_waited_for() {
    limited(|| {
        let (clock, executor, turns) = (
            Clock::new(),
            async_executor::Executor::new(),
            Turns::default(),
        );
        let mut group = neap::Group::new().clock(&clock);
        let (handle, sleeper, counted) = (group.handle(), clock.clone(), turns.clone());
        group.race("poller", async move {
            loop {
                sleeper.sleep(s(5)).await;
                counted.add();
            }
        });
        let run = group.run_on(|task| executor.spawn(task));
        let test = async {
            clock.advance(s(15)).await;
            assert_eq!(turns.count(), 3);
            handle.stop();
        };
        let (ended, ()) = future::block_on(executor.run(future::zip(run, test)));
        ended.unwrap();
    });
}

/// A waker that panics.
struct Bad;

impl std::task::Wake for Bad {
    fn wake(self: std::sync::Arc<Self>) {
        panic!("a bad waker");
    }
}

#[test]
fn a_waker_that_panics_keeps_no_other_asleep() {
    limited(|| {
        use std::future::Future;
        use std::task::{Context, Waker};

        let clock = Clock::new();
        let bad = Waker::from(std::sync::Arc::new(Bad));
        let mut first = Box::pin(clock.sleep(s(1)));
        assert!(
            first
                .as_mut()
                .poll(&mut Context::from_waker(&bad))
                .is_pending()
        );
        let woken = future::zip(clock.sleep(s(2)), async {
            future::yield_now().await;
            clock.advance(s(3));
        });
        future::block_on(woken);
        future::block_on(async { clock.advance(s(1)).await });
    });
}
