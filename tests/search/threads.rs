//! Runs a scenario on four threads, with other threads that act on the group.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use async_executor::Executor;
use futures_lite::future;
use neap::Group;

use crate::record::{Ending, What};
use crate::run::{actions, message, tell};
use crate::scenario::When;
use crate::world::World;

/// A run in which nothing at all has happened for so long hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// An executor that four threads run, for good.
pub fn executor() -> Arc<Executor<'static>> {
    static THREADS: OnceLock<Arc<Executor<'static>>> = OnceLock::new();
    let executor = THREADS.get_or_init(|| {
        let executor = Arc::new(Executor::new());
        for _ in 0..4 {
            let executor = Arc::clone(&executor);
            thread::spawn(move || future::block_on(executor.run(pending::<()>())));
        }
        executor
    });
    Arc::clone(executor)
}

pub fn run(world: &Arc<World>, group: Group<'static>) -> Ending {
    let hands: Vec<_> = (0..3).map(|hand| act(world, hand)).collect();
    let (sender, receiver) = channel();
    let shared = Arc::clone(world);
    let runner = thread::spawn(move || {
        let ended = catch_unwind(AssertUnwindSafe(|| await_group(&shared, group)));
        let ending = ended.unwrap_or_else(|payload| Ending::Panicked(message(payload)));
        drop(shared);
        let _ = sender.send(ending);
    });
    let Some(ending) = receive(world, &receiver) else {
        let handle = world.handle(0);
        let status = handle.map(|handle| handle.status().to_string());
        return Ending::Hung(status.unwrap_or_default());
    };
    let _ = runner.join();
    for hand in hands {
        let _ = hand.join();
    }
    if matches!(ending, Ending::Dropped) {
        wait_until(|| world.log.are_all_gone());
    }
    wait_until(|| world.log.have_all_watches_ended());
    ending
}

/// A thread that takes its actions, with pauses.
fn act(world: &Arc<World>, hand: usize) -> thread::JoinHandle<()> {
    let world = Arc::clone(world);
    thread::spawn(move || {
        let is_mine = |when| matches!(when, When::At(_));
        let mut begin = Instant::now();
        for planned in actions(&world.scenario, is_mine) {
            let When::At(at) = planned.when else { continue };
            if planned.hand == hand {
                let due = begin + world.pause(at);
                // The shortest pauses are shorter than a sleep can be.
                while Instant::now() < due {
                    thread::yield_now();
                }
                begin = begin.min(Instant::now());
                world.act(planned.act);
            }
        }
    })
}

fn await_group(world: &Arc<World>, group: Group<'static>) -> Ending {
    let run = group.run();
    let dropped_at = world.scenario.dropped_at.map(|at| world.pause(at * 4));
    let give_up = async {
        match dropped_at {
            Some(at) => drop(async_io::Timer::after(at).await),
            None => pending().await,
        }
        None
    };
    let mut run = Some(run);
    let ended = {
        let run = run.as_mut().map(std::pin::Pin::new);
        let awaited = async {
            match run {
                Some(run) => Some(run.await),
                None => None,
            }
        };
        future::block_on(future::or(awaited, give_up))
    };
    match ended {
        Some(result) => {
            world.note(What::Returned);
            Ending::Returned(tell(result))
        }
        None => {
            world.note(What::Dropping);
            drop(run);
            world.note(What::Dropped);
            Ending::Dropped
        }
    }
}

/// Waits for the end as long as anything happens.
fn receive(world: &World, ending: &Receiver<Ending>) -> Option<Ending> {
    let (mut seen, mut last) = (0, Instant::now());
    loop {
        match ending.recv_timeout(Duration::from_millis(100)) {
            Ok(ending) => return Some(ending),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if world.log.len() != seen {
            (seen, last) = (world.log.len(), Instant::now());
        }
        if last.elapsed() > PATIENCE {
            return None;
        }
    }
}

/// Waits for what other threads are about to do: after the drop of `run`, services go at their next
/// poll.
pub fn wait_until(is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE && !is_so() {
        thread::sleep(Duration::from_micros(100));
    }
}
