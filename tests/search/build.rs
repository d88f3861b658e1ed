//! From the description of a group to the group.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_lite::{Stream, StreamExt, stream};
use neap::test::Recorder;
use neap::{Added, Cause, Group, OnExit, OnFailure, StopToken, Task};

use crate::hazard::PLANNED;
use crate::record::What;
use crate::scenario::ServicePlan;
use crate::service;
use crate::world::World;

/// How often a source may be asked in one poll of the group.
const OFTEN: usize = 10_000;

/// Builds one of the groups of a scenario, with its early services.
pub fn group(world: &Arc<World>, index: usize) -> Group<'static> {
    let plan = &world.scenario.groups[index];
    let mut group = if plan.here {
        Group::new()
    } else {
        Group::on(spawner(world, index))
    };
    group = group
        .drain_timeout(
            plan.drain_timeout
                .map_or(Duration::MAX, Duration::from_millis),
        )
        .cancel_timeout(Duration::from_millis(plan.cancel_timeout));
    if let Some(limit) = plan.limit {
        group = group.limit(limit);
    }
    if world.has_hand_clock() {
        group = group.clock(&world.clock);
    }
    if world.scenario.recorded {
        group = group.record(&Recorder::new());
    }
    let handle = group.handle();
    if plan.eager_source {
        group = group.stop_on(eager(world, handle.token()));
    }
    world.set_handle(index, Some(handle));
    for (number, service) in world.scenario.present() {
        if service.group == index && !service.late {
            add(world, &mut group, number, service);
        }
    }
    group
}

fn add(world: &Arc<World>, group: &mut Group<'static>, index: usize, plan: &ServicePlan) {
    let needs = service::needs(world, plan);
    world.note(What::Adding(index, needs.clone()));
    let name = service::name(index);
    let added = match plan.restarts {
        None => group.add(name, service::once(world, index)),
        Some(failing) => group.add(name, service::restarting(world, index, failing)),
    };
    let id = set(added, world, plan, &needs).id();
    let _ = world.ids[index].set(id);
    world.note(What::Added(index));
}

fn set<'g>(mut added: Added<'g>, world: &World, plan: &ServicePlan, needs: &[usize]) -> Added<'g> {
    for &need in needs {
        if let Some(id) = world.ids[need].get() {
            added = added.needs(*id);
        }
    }
    if plan.background {
        added = added.background();
    }
    if plan.stops_group {
        added = added.on_exit(OnExit::Stop);
    }
    if plan.ignores {
        added = added.on_failure(OnFailure::Ignore);
    }
    if let Some(timeout) = plan.start_timeout {
        added = added.start_timeout(Duration::from_millis(timeout));
    }
    match plan.drain_timeout {
        Some(timeout) => added.drain_timeout(Duration::from_millis(timeout)),
        None => added,
    }
}

/// Spawns tasks on the executor of the world; may panic at one of the early ones.
fn spawner(world: &Arc<World>, group: usize) -> impl Fn(Task<'static>) + Send + Sync + 'static {
    let members = world.scenario.present().map(|(_, one)| one);
    let members: Vec<_> = members.filter(|one| one.group == group).collect();
    // Only at the start: later on it is the call of `add` that panics, whose caller knows why.
    let only_early = members.iter().all(|one| !one.late);
    let panics_at = world.scenario.groups[group].spawn_panics;
    let panics_at = panics_at.filter(|&at| at < members.len() && only_early);
    let (world, count) = (Arc::clone(world), AtomicUsize::new(0));
    move |task| {
        if Some(count.fetch_add(1, Ordering::SeqCst)) == panics_at {
            world.note(What::SpawnPanics(group));
            panic!("{PLANNED}: the spawn function");
        }
        let caught = Caught {
            task: Some(task),
            world: Arc::clone(&world),
        };
        world.executor.spawn(caught).detach();
    }
}

/// A task of a group, through which no panic should come.
struct Caught {
    task: Option<Task<'static>>,
    world: Arc<World>,
}

impl Caught {
    fn try_to<T>(&mut self, run: impl FnOnce(&mut Option<Task<'static>>) -> T) -> Option<T> {
        let ran = catch_unwind(AssertUnwindSafe(|| run(&mut self.task)));
        if ran.is_err() {
            self.world
                .broken("g03", "a panic went through a task of the group");
        }
        ran.ok()
    }
}

impl Future for Caught {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.try_to(|task| match task {
            Some(task) => Pin::new(task).poll(cx),
            None => Poll::Ready(()),
        });
        if polled != Some(Poll::Pending) {
            self.try_to(|task| *task = None);
        }
        polled.unwrap_or(Poll::Ready(()))
    }
}

impl Drop for Caught {
    fn drop(&mut self) {
        self.try_to(|task| *task = None);
    }
}

/// A source that has an item whenever it is asked, once there is a stop.
fn eager(world: &Arc<World>, token: StopToken) -> impl Stream<Item = Cause> + Send + 'static {
    let (world, turn, asked) = (Arc::clone(world), 0, 0);
    let state = (world, token, turn, asked);
    stream::unfold(state, |(world, token, mut turn, mut asked)| async move {
        let cause = token.stopped().await;
        let now = world.turn.load(Ordering::SeqCst);
        if now != turn {
            (turn, asked) = (now, 0);
        }
        asked += 1;
        if asked > OFTEN {
            world.broken("g22", "a source is asked for ever within one poll");
            return None;
        }
        Some((cause, (world, token, turn, asked)))
    })
    .boxed()
}
