//! Runs a scenario: by hand, where the same seed is the same run, or on four threads.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_executor::Executor;
use futures_lite::StreamExt;
use neap::{Error, Exit, Outcome, Run, StopSource, StopToken};

use crate::build;
use crate::record::{Ending, History, Kind, Line, Told, What};
use crate::scenario::{Act, LAST, Place, Planned, Scenario, When};
use crate::service::number;
use crate::threads;
use crate::world::World;

/// By then every group has ended: the last action is a cancel, long before.
const LONG: u64 = 6 * LAST;

/// How many polls of the group, and of its tasks elsewhere, fit into a millisecond by hand.
const POLLS: usize = 6;
const TICKS: usize = 200;

/// Runs a scenario once.
pub fn run(scenario: &Scenario) -> History {
    fastrand::seed(scenario.seed);
    let executor = match scenario.place {
        Place::Threads => threads::executor(),
        Place::Here | Place::Ticked => Arc::new(Executor::new()),
    };
    let (sender, receiver) = async_channel::unbounded();
    let world = Arc::new(World::new(scenario, executor, sender));
    let mut group = build::group(&world, 0);
    group = group.stop_on(receiver.boxed());
    let on_stop = ActOnStop::new(&world);
    for planned in actions(scenario, |when| when == When::BeforeRun) {
        world.act(planned.act);
    }
    world.note(What::Opening);
    let ending = match scenario.place {
        Place::Threads => threads::run(&world, group),
        Place::Here | Place::Ticked => by_hand(&world, group.run()),
    };
    drop_quietly(on_stop);
    look_back(&world, &ending);
    let events = world.log.events();
    // The last owner of a group that was dropped drops the errors that nobody has read.
    drop_quietly(catch_unwind(AssertUnwindSafe(|| world.clear())));
    History {
        scenario: scenario.clone(),
        events,
        ending,
    }
}

pub fn actions(scenario: &Scenario, when: impl Fn(When) -> bool) -> Vec<Planned> {
    let due = scenario.actions.iter().filter(|planned| when(planned.when));
    due.copied().collect()
}

/// Notes whether the task was woken.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Polls a group and its tasks, takes the actions, and moves the clock, all on this thread.
fn by_hand(world: &Arc<World>, run: Run<'static>) -> Ending {
    let flag = Arc::new(Flag(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&flag));
    let mut run = Some(run);
    for time in 0..LONG {
        for planned in actions(&world.scenario, |when| when == When::At(time)) {
            world.act(planned.act);
        }
        if world.scenario.dropped_at == Some(time) {
            return drop_run(world, run);
        }
        let polled = poll_while_woken(world, &mut run, &flag, &waker);
        if let Some(ending) = polled {
            drop_quietly(run);
            while world.executor.try_tick() {}
            return ending;
        }
        world.look_at_those_alone();
        world.clock.advance(Duration::from_millis(1));
    }
    let hung = format!(
        "{:?}",
        world.handle(0).map(|handle| handle.status().to_string())
    );
    std::mem::forget(run);
    Ending::Hung(hung)
}

fn poll_while_woken(
    world: &Arc<World>,
    run: &mut Option<Run<'static>>,
    flag: &Flag,
    waker: &Waker,
) -> Option<Ending> {
    for _ in 0..POLLS {
        let mut idle = true;
        if flag.0.swap(false, Ordering::SeqCst) {
            idle = false;
            world.turn.fetch_add(1, Ordering::SeqCst);
            let run = run.as_mut()?;
            let mut poll = || Pin::new(&mut *run).poll(&mut Context::from_waker(waker));
            match catch_unwind(AssertUnwindSafe(&mut poll)) {
                Err(payload) => return Some(Ending::Panicked(message(payload))),
                Ok(Poll::Ready(result)) => {
                    world.note(What::Returned);
                    return Some(Ending::Returned(tell(result)));
                }
                Ok(Poll::Pending) => {}
            }
        }
        for _ in 0..TICKS {
            if !world.executor.try_tick() {
                break;
            }
            idle = false;
        }
        if idle {
            break;
        }
    }
    None
}

fn drop_run(world: &Arc<World>, run: Option<Run<'static>>) -> Ending {
    world.note(What::Dropping);
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(run)));
    world.note(What::Dropped);
    while world.executor.try_tick() {}
    match dropped {
        Ok(()) => Ending::Dropped,
        Err(payload) => Ending::Panicked(message(payload)),
    }
}

/// The message of a panic; its payload may panic when it is dropped.
pub fn message(payload: Box<dyn std::any::Any + Send>) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    drop_quietly(payload);
    text.unwrap_or_else(|| "a payload without a message".to_owned())
}

pub fn drop_quietly<T>(value: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        std::mem::forget(payload);
    }
}

/// Reads an outcome. Its errors may panic when they are displayed or dropped.
pub fn tell(result: Result<Outcome, Error>) -> Told {
    let is_ok = result.is_ok();
    let mut told = Told {
        is_ok,
        cause: None,
        reports: Vec::new(),
        unreported: 0,
        failures: Vec::new(),
        ignored: Vec::new(),
        text: String::new(),
    };
    let outcome = match &result {
        Ok(outcome) => Some(outcome),
        Err(error) => error.outcome(),
    };
    if let Some(outcome) = outcome {
        told.cause = Some(outcome.cause().clone());
        told.unreported = outcome.unreported();
        for report in outcome.reports() {
            if report.is_straggler() {
                told.text += &format!("straggler `{}` ", report.name());
            }
            let line = Line {
                exit: match report.is_abandoned() {
                    true => Kind::Abandoned,
                    false => kind(report.exit()),
                },
                is_straggler: report.is_straggler(),
            };
            told.reports
                .extend(number(report.name()).map(|index| (index, line)));
        }
        let failures = outcome.failures();
        told.failures = failures.filter_map(|one| number(one.name())).collect();
        let ignored = outcome.ignored_failures();
        told.ignored = ignored.filter_map(|one| number(one.name())).collect();
    }
    let text = catch_unwind(AssertUnwindSafe(|| format!("{result:?}")));
    told.text += &text.unwrap_or_else(message);
    drop_quietly(result);
    told
}

fn kind(exit: &Exit) -> Kind {
    match exit {
        Exit::Finished => Kind::Finished,
        Exit::Failed(_) => Kind::Failed,
        Exit::Panicked(_) => Kind::Panicked,
        Exit::Stopped | Exit::Cancelled => Kind::Cancelled,
        Exit::Abandoned => Kind::Abandoned,
        _ => Kind::NotStarted,
    }
}

/// Acts in the waker of a task that awaits the stop of the outer group.
struct ActOnStop(#[allow(dead_code, reason = "kept for its drop")] Option<neap::Stopped>);

struct Inline(Arc<World>, Vec<Act>);

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        if self
            .0
            .handle(0)
            .is_some_and(|handle| handle.cause().is_none())
        {
            self.0
                .broken("g04", "a waiter was woken before the cause could be read");
        }
        self.0.note(What::StopSeen);
        for &act in &self.1 {
            self.0.act(act);
        }
    }
}

impl ActOnStop {
    fn new(world: &Arc<World>) -> ActOnStop {
        let planned = actions(&world.scenario, |when| when == When::OnStop);
        if planned.is_empty() {
            return ActOnStop(None);
        }
        let acts = planned.iter().map(|planned| planned.act).collect();
        let waker = Waker::from(Arc::new(Inline(Arc::clone(world), acts)));
        let token = world.handle(0).map(|handle| handle.token());
        let mut stopped = token.map(|token| token.stopped());
        if let Some(stopped) = &mut stopped {
            let _ = Pin::new(stopped).poll(&mut Context::from_waker(&waker));
        }
        ActOnStop(stopped)
    }
}

/// Looks at what outlived the group.
fn look_back(world: &Arc<World>, ending: &Ending) {
    if !matches!(ending, Ending::Returned(_) | Ending::Dropped) {
        return;
    }
    let scenario = &world.scenario;
    let on_threads = scenario.place == Place::Threads;
    // Where `run` was dropped, another thread may be about to pass the stop on.
    let is_stopped = |token: &StopToken| {
        if on_threads && matches!(ending, Ending::Dropped) {
            threads::wait_until(|| token.is_stopped());
        }
        token.is_stopped()
    };
    let tokens = world.keep(|kept| kept.tokens.clone());
    let may_block = on_threads && scenario.has_blocker();
    for (index, token) in tokens {
        // A nested group that blocks its thread hears of the stop once it does not any more.
        let may_be_deaf = may_block && scenario.services[index].group != 0;
        if !may_be_deaf && (!is_stopped(&token) || token.cause().is_none()) {
            world.broken(
                "g20",
                format!("the token of s{index} is not stopped at the end"),
            );
        }
    }
    let token = |(group, child): &(usize, StopSource)| (*group, child.token());
    let children: Vec<_> = world.keep(|kept| kept.children.iter().map(token).collect());
    for (group, token) in children {
        if group == 0 && !is_stopped(&token) {
            world.broken(
                "g04",
                "a child of the group's token is not stopped at the end",
            );
        }
    }
    let late = world
        .handle(0)
        .map(|handle| handle.add("late", |_| async {}).is_ok());
    if late == Some(true) {
        world.broken("g06", "an addition was taken after the end");
    }
}
