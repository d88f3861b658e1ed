//! A random service: does its steps, panics as planned, and has all of it written down.

use std::future::{Future, pending};
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures_lite::{FutureExt, future};
use neap::{ChildHandle, OnExit, OnFailure, Restart, Restarting, Scope, ServiceOptions, restart};

use crate::build;
use crate::hazard::{Failure, Mark, OnDrop, Payload, panic_as_planned};
use crate::record::What;
use crate::run::drop_quietly;
use crate::scenario::{Hazard, Place, ServicePlan, Step};
use crate::world::World;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The name of a service, from which the outcome is read.
pub fn name(index: usize) -> String {
    format!("s{index}")
}

/// The number of the service of this name.
pub fn number(name: &str) -> Option<usize> {
    name.strip_prefix('s')?.parse().ok()
}

/// The options of a service that is added by a handle. Notes that it is about to be.
pub fn options(world: &World, index: usize) -> ServiceOptions {
    let plan = &world.scenario.services[index];
    let mut options = ServiceOptions::new();
    let needs = needs(world, plan);
    for &need in &needs {
        if let Some(id) = world.ids[need].get() {
            options = options.needs(*id);
        }
    }
    world.note(What::Adding(index, needs));
    if plan.background {
        options = options.background();
    }
    if plan.stops_group {
        options = options.on_exit(OnExit::Stop);
    }
    if plan.ignores {
        options = options.on_failure(OnFailure::Ignore);
    }
    if let Some(timeout) = plan.start_timeout {
        options = options.start_timeout(Duration::from_millis(timeout));
    }
    if let Some(timeout) = plan.drain_timeout {
        options = options.drain_timeout(Duration::from_millis(timeout));
    }
    options
}

/// Those of the planned needs that have been added.
pub fn needs(world: &World, plan: &ServicePlan) -> Vec<usize> {
    let known = |need: &&usize| world.ids[**need].get().is_some();
    plan.needs.iter().filter(known).copied().collect()
}

/// What a service captured.
struct Captured {
    /// Panics when it is dropped, if that is the plan.
    _on_drop: Option<OnDrop>,
    _gone: Mark,
}

impl Captured {
    fn new(world: &Arc<World>, index: usize) -> Captured {
        Captured {
            _on_drop: on_drop(world, index, &[Hazard::CaptureDropPanics]),
            _gone: Mark(Arc::clone(world), What::Gone(index)),
        }
    }
}

fn on_drop(world: &Arc<World>, index: usize, which: &[Hazard]) -> Option<OnDrop> {
    let hazard = world.scenario.services[index].hazard;
    which.contains(&hazard).then(|| OnDrop {
        world: Arc::clone(world),
        index,
        hazard,
    })
}

/// A service that runs once.
pub fn once(
    world: &Arc<World>,
    index: usize,
) -> impl FnOnce(Scope<'static>) -> Boxed<Result<(), Failure>> + Send + 'static {
    let (world, captured) = (Arc::clone(world), Captured::new(world, index));
    move |scope| {
        world.note(What::Called(index));
        let captured = captured;
        if world.scenario.services[index].hazard == Hazard::CallPanics {
            panic_as_planned(&world, index);
        }
        let plan = &world.scenario.services[index];
        let starting = plan.starting || plan.nested.is_some();
        let run = live(Arc::clone(&world), index, scope);
        let run = Watched::new(&world, index, starting, run);
        async move {
            let _captured = captured;
            run.await
        }
        .boxed()
    }
}

/// A service that is restarted: n of its runs fail, and then one does as planned.
pub fn restarting(
    world: &Arc<World>,
    index: usize,
    failing: usize,
) -> impl FnOnce(Scope<'static>) -> Restarting<'static> + Send + 'static {
    let (world, captured) = (Arc::clone(world), Captured::new(world, index));
    let shortest = Duration::from_millis(if world.scenario.timeless {
        0
    } else {
        failing as u64
    });
    let policy = Restart::on_failure().intensity(20, Duration::MAX);
    let policy = policy.backoff(shortest, shortest * 3);
    let mut runs = 0;
    let factory = move |scope: Scope<'static>| {
        let _ = &captured;
        world.note(What::Called(index));
        runs += 1;
        let run = runs;
        let plan = &world.scenario.services[index];
        // Only the run that is not to fail says that it is starting.
        let starting = plan.start_timeout.is_some() || plan.starting && run == failing + 1;
        let live = async move |world: Arc<World>| {
            if run > failing + 1 {
                return Ok(());
            }
            if run <= failing {
                if run % 2 == 0 {
                    future::yield_now().await;
                }
                return Err(Failure(Hazard::Error));
            }
            live(world, index, scope).await
        };
        Watched::new(&world, index, starting, live(Arc::clone(&world)).boxed())
    };
    restart(policy, factory)
}

/// A run of a service, watched from outside.
struct Watched {
    run: Boxed<Result<(), Failure>>,
    world: Arc<World>,
    index: usize,
    /// Whether it is not ready before it says so.
    starting: bool,
    was_polled: bool,
    _gone: Mark,
}

impl Watched {
    fn new(
        world: &Arc<World>,
        index: usize,
        starting: bool,
        run: Boxed<Result<(), Failure>>,
    ) -> Watched {
        Watched {
            run,
            world: Arc::clone(world),
            index,
            starting,
            was_polled: false,
            _gone: Mark(Arc::clone(world), What::RunGone(index)),
        }
    }
}

impl Future for Watched {
    type Output = Result<(), Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.run.poll(cx);
        self.world.note(match &polled {
            Poll::Pending if self.was_polled || self.starting => return Poll::Pending,
            Poll::Pending => What::PolledOnce(self.index),
            Poll::Ready(Ok(())) => What::ReturnsWell(self.index),
            Poll::Ready(Err(_)) => What::ReturnsError(self.index),
        });
        self.was_polled = true;
        polled
    }
}

/// What a service does once it is polled.
fn live(world: Arc<World>, index: usize, scope: Scope<'static>) -> Boxed<Result<(), Failure>> {
    async move {
        let plan = world.scenario.services[index].clone();
        let _local = on_drop(
            &world,
            index,
            &[Hazard::FutureDropPanics, Hazard::DropStops],
        );
        if plan.starting {
            scope.starting();
        }
        if let Some(inner) = plan.nested {
            let group = build::group(&world, inner);
            let ended = group.into_service()(scope).await;
            let failed = ended.is_err();
            // Its errors may panic when they are dropped.
            drop_quietly(ended);
            return if failed {
                Err(Failure(Hazard::Error))
            } else {
                Ok(())
            };
        }
        let mut kept = Vec::new();
        match plan.hazard {
            Hazard::FirstPollPanics => panic_as_planned(&world, index),
            Hazard::ChildFails | Hazard::ChildPanics | Hazard::ChildDropPanics => {
                let steps = vec![Step::Yield];
                kept.push(spawn(&world, index, &scope, plan.hazard, steps));
            }
            _ => {}
        }
        for step in plan.steps {
            self::step(&world, index, &scope, step, &mut kept).await;
        }
        match plan.hazard {
            Hazard::EndPanics => panic_as_planned(&world, index),
            Hazard::PayloadPanics => {
                world.note(What::Panics(index));
                panic_any(Payload)
            }
            Hazard::Error | Hazard::ErrorConversion | Hazard::ErrorDisplay | Hazard::ErrorDrop => {
                Err(Failure(plan.hazard))
            }
            _ => Ok(()),
        }
    }
    .boxed()
}

fn steps(world: Arc<World>, index: usize, scope: Scope<'static>, all: Vec<Step>) -> Boxed<()> {
    async move {
        for step in all {
            self::step(&world, index, &scope, step, &mut Vec::new()).await;
        }
    }
    .boxed()
}

async fn step(
    world: &Arc<World>,
    index: usize,
    scope: &Scope<'static>,
    step: Step,
    kept: &mut Vec<Child>,
) {
    match step {
        Step::Yield => future::yield_now().await,
        Step::Sleep(millis) => sleep(world, Duration::from_millis(millis)).await,
        Step::Ready => {
            world.note(What::SaysReady(index));
            scope.ready();
        }
        Step::Stopped => {
            let cause = scope.stopped().await;
            world.note(What::Told(index, Some(cause)));
        }
        Step::TokenStopped => {
            let cause = scope.token().stopped().await;
            world.note(What::Told(index, Some(cause)));
        }
        Step::GiveAway => world.keep(|kept| {
            kept.tokens.push((index, scope.token()));
            kept.scopes.push((index, scope.clone()));
        }),
        Step::Look => look(world, index, scope),
        Step::Until => until(world, scope).await,
        Step::Spawn(steps) => drop(spawn(world, index, scope, Hazard::None, steps)),
        Step::Keep(steps) => kept.push(spawn(world, index, scope, Hazard::None, steps)),
        Step::Abort => {
            if let Some(child) = kept.last() {
                world.note(What::ChildAborting(child.number));
                child.handle.abort();
            }
        }
        Step::Join => {
            if let Some(child) = kept.pop() {
                child.join(world, index).await;
            }
        }
        Step::EndOf(of) => end_of(world, index, scope, of).await,
        Step::Block(millis) if world.scenario.place == Place::Threads => {
            thread::sleep(Duration::from_millis(millis));
        }
        Step::Block(millis) => drop(world.clock.advance(Duration::from_millis(millis))),
        Step::Spin => spin(world, scope).await,
        Step::Forever => pending().await,
        Step::Started => started(world, index, scope).await,
        Step::Act(act) => world.act(act),
    }
}

/// Always ready, until the stop; by hand, for two milliseconds at most, as it costs time.
async fn spin(world: &World, scope: &Scope<'static>) {
    let by_hand = world.scenario.place != Place::Threads;
    let end = world.clock.now() + Duration::from_millis(2);
    while !scope.is_stopped() && (!by_hand || world.clock.now() < end) {
        future::yield_now().await;
    }
    scope.stopped().await;
}

async fn sleep(world: &World, duration: Duration) {
    if world.scenario.place == Place::Threads {
        async_io::Timer::after(duration).await;
    } else {
        world.clock.sleep(duration).await;
    }
}

/// What a service, and what a scope that was kept, can see of the stop.
fn look(world: &World, index: usize, scope: &Scope<'static>) {
    if scope.is_stopped() {
        let cause = scope.cause();
        if cause.is_none() {
            world.broken("g04", "a service is stopped, and there is no cause");
        }
        world.note(What::Told(index, cause));
    }
    let kept: Vec<_> = world.keep(|kept| kept.scopes.clone());
    for (other, scope) in kept {
        if scope.is_stopped() && scope.cause().is_none() {
            let how = format!("the scope of s{other} says stopped, without a cause");
            world.broken("g20", how);
        }
    }
}

async fn until(world: &World, scope: &Scope<'static>) {
    let was_stopped = scope.is_stopped();
    let mut was_polled = false;
    let result = scope
        .run_until_stopped(async {
            was_polled = true;
            future::yield_now().await;
        })
        .await;
    if was_stopped && (was_polled || result.is_some()) {
        world.broken("g14", "stopped already, and the future was polled");
    }
    if result.is_none() && !scope.is_stopped() {
        world.broken("g14", "no result, and no stop");
    }
}

async fn started(world: &World, index: usize, scope: &Scope<'static>) {
    let group = world.scenario.services[index].group;
    if let Some(handle) = world.handle(group) {
        let started = scope.run_until_stopped(handle.started()).await;
        if let Some(Ok(())) = started {
            world.note(What::Started(group));
        }
    }
}

async fn end_of(world: &Arc<World>, index: usize, scope: &Scope<'static>, of: usize) {
    if let Some((handle, id)) = world.of_service(of) {
        let watch = world.next_number();
        world.note(What::EndAwaited {
            watch,
            of,
            by: Some(index),
        });
        let seen = scope.run_until_stopped(handle.ended(id)).await;
        world.note(match seen {
            Some(()) => What::EndSeen(watch),
            None => What::EndGivenUp(watch),
        });
    }
}

/// Spawns a child that does these steps, and returns its number.
fn spawn(
    world: &Arc<World>,
    index: usize,
    scope: &Scope<'static>,
    hazard: Hazard,
    all: Vec<Step>,
) -> Child {
    let number = world.next_number();
    world.note(What::ChildSpawned(index, number));
    let gone = Mark(Arc::clone(world), What::ChildGone(index, number));
    let bomb = on_drop(world, index, &[Hazard::ChildDropPanics]);
    let bomb = bomb.filter(|_| hazard == Hazard::ChildDropPanics);
    let (world, clone) = (Arc::clone(world), scope.clone());
    let run = async move {
        steps(Arc::clone(&world), index, clone, all).await;
        match hazard {
            Hazard::ChildPanics => panic_as_planned(&world, index),
            Hazard::ChildFails => {
                world.note(What::ChildFails(index));
                Err(Failure(Hazard::Error))
            }
            _ => {
                world.note(What::ChildReturns(number));
                Ok(number)
            }
        }
    };
    let handle = scope.spawn(ChildFuture {
        run: run.boxed(),
        _bomb: bomb,
        _gone: gone,
    });
    Child { number, handle }
}

/// The future of a child, which owns something beside what it runs.
struct ChildFuture {
    run: Boxed<Result<usize, Failure>>,
    _bomb: Option<OnDrop>,
    _gone: Mark,
}

impl Future for ChildFuture {
    type Output = Result<usize, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.run.poll(cx)
    }
}

/// A child whose handle is kept.
struct Child {
    number: usize,
    handle: ChildHandle<usize>,
}

impl Child {
    /// Awaits the child, and looks at what its handle says of it.
    async fn join(mut self, world: &Arc<World>, index: usize) {
        world.note(What::ChildJoining(index, self.number));
        // What was asked first may be given up.
        let early = future::poll_once(&mut self.handle).await;
        let value = match early {
            Some(value) => value,
            None => {
                future::yield_now().await;
                let inspect = |waker: &Waker| Inspect {
                    world: Arc::clone(world),
                    index,
                    number: self.number,
                    waker: waker.clone(),
                };
                let handle = &mut self.handle;
                future::poll_fn(|cx| {
                    let waker = Waker::from(Arc::new(inspect(cx.waker())));
                    Pin::new(&mut *handle).poll(&mut Context::from_waker(&waker))
                })
                .await
            }
        };
        let returned = world.log.has(&What::ChildReturns(self.number));
        if returned != value.is_some() || value.is_some_and(|value| value != self.number) {
            let how = format!("child {} of s{index}: {value:?}", self.number);
            world.broken("child_value", how);
        }
        if !self.handle.is_finished() || future::poll_once(&mut self.handle).await != Some(None) {
            world.broken("child_value", "a handle that was awaited goes on");
        }
        look_at_end_of_child(world, index, self.number);
        world.note(What::ChildJoined(self.number, value.is_some()));
    }
}

/// Wakes a service that awaits a child, and looks at what is so by then.
struct Inspect {
    world: Arc<World>,
    index: usize,
    number: usize,
    waker: Waker,
}

impl Wake for Inspect {
    fn wake(self: Arc<Self>) {
        look_at_end_of_child(&self.world, self.index, self.number);
        self.waker.wake_by_ref();
    }
}

/// Once the handle of a child says that it has ended, it is gone, and its failure has stopped the
/// group.
fn look_at_end_of_child(world: &World, index: usize, number: usize) {
    if !world.log.has(&What::ChildGone(index, number)) {
        let how =
            format!("child {number} of s{index} is there, and its handle says that it has ended");
        world.broken("child_gone", how);
    }
    let plan = &world.scenario.services[index];
    // The child with the hazard is the first of its service, and by its name no other fails.
    let events = world.log.events();
    let first = events.iter().find_map(|event| match event.what {
        What::ChildSpawned(of, number) if of == index => Some(number),
        _ => None,
    });
    let failed = [What::ChildFails(index), What::Panics(index)];
    let failed = events.iter().any(|event| failed.contains(&event.what));
    let is_hazard = matches!(
        plan.hazard,
        Hazard::ChildFails | Hazard::ChildPanics | Hazard::ChildDropPanics
    );
    let may_go_on = plan.ignores || plan.restarts.is_some();
    let is_stopped = world
        .handle(plan.group)
        .is_none_or(|handle| handle.is_stopped());
    if first == Some(number) && is_hazard && failed && !may_go_on && !is_stopped {
        let how = format!("child {number} of s{index} has failed, and the group is not stopped");
        world.broken("child_failure", how);
    }
}
