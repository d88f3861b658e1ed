//! swansong: for any runtime, and quickest on async-executor's static executor; tokio's was slower.
//!
//! In its documentation a service is `spawn(swansong.interrupt(future).guarded())`: that is
//! [`interrupted`]. [`told`] holds a guard and waits for `shutting_down`, which takes less memory and a
//! longer stop.

use std::future;

use async_executor::StaticExecutor;
use futures_lite::future::block_on;
use swansong::Swansong;

use crate::meter::{self, Cost, Meter, Plan};

pub fn interrupted(plan: Plan) -> Vec<Cost> {
    let executor: &'static StaticExecutor = Box::leak(Box::default());
    let spawn = |swansong: &Swansong| {
        let stop = swansong.interrupt(future::pending::<()>()).guarded();
        let service = async move {
            meter::arrive();
            stop.await;
            meter::leave();
        };
        executor.spawn(service).detach();
    };
    block_on(executor.run(measure(plan, spawn)))
}

pub fn told(plan: Plan) -> Vec<Cost> {
    let executor: &'static StaticExecutor = Box::leak(Box::default());
    let spawn = |swansong: &Swansong| {
        let (guard, stop) = (swansong.guard(), swansong.shutting_down());
        let service = async move {
            meter::arrive();
            stop.await;
            meter::leave();
            drop(guard);
        };
        executor.spawn(service).detach();
    };
    block_on(executor.run(measure(plan, spawn)))
}

async fn measure(plan: Plan, spawn: impl Fn(&Swansong)) -> Vec<Cost> {
    let mut costs = Vec::with_capacity(plan.groups);
    for _ in 0..plan.groups {
        costs.push(group(plan.services, &spawn).await);
    }
    costs
}

async fn group(services: usize, spawn: impl Fn(&Swansong)) -> Cost {
    let meter = Meter::new(services);
    let swansong = Swansong::new();
    for _ in 0..services {
        spawn(&swansong);
    }
    let started = meter.all_wait().await;
    swansong.shut_down().await;
    drop(swansong);
    started.joined()
}
