//! neap: each service is added by name and waits for the stop of its scope.
//!
//! In place, the task that awaits the group polls the services. What the group does instead of an
//! executor is then measured with it. On an executor each service is a task, and the executor is made
//! before the measurement, as those of the others are.

use async_executor::StaticExecutor;
use futures_lite::future;
use neap::Group;

use crate::meter::{self, Cost, Meter, Plan};

pub fn in_place(plan: Plan) -> Vec<Cost> {
    future::block_on(measure(plan, Group::new))
}

pub fn on_executor(plan: Plan) -> Vec<Cost> {
    let executor: &'static StaticExecutor = Box::leak(Box::default());
    let make = || Group::on(|task| executor.spawn(task).detach());
    future::block_on(executor.run(measure(plan, make)))
}

async fn measure(plan: Plan, make: impl Fn() -> Group<'static>) -> Vec<Cost> {
    let mut costs = Vec::with_capacity(plan.groups);
    for _ in 0..plan.groups {
        costs.push(group(plan.services, &make).await);
    }
    costs
}

async fn group(services: usize, make: impl Fn() -> Group<'static>) -> Cost {
    let meter = Meter::new(services);
    let mut group = make();
    for _ in 0..services {
        group.add("service", |scope| async move {
            meter::arrive();
            scope.stopped().await;
            meter::leave();
        });
    }
    let handle = group.handle();
    let stop = async move {
        let started = meter.all_wait().await;
        handle.stop();
        started
    };
    let (outcome, started) = future::zip(group.run(), stop).await;
    let outcome = outcome.expect("no service fails");
    assert_eq!(outcome.reports().len(), services);
    drop(outcome);
    started.joined()
}
