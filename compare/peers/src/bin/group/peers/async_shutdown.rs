//! async-shutdown: each service holds a token that delays the shutdown's completion, and waits for
//! it to be triggered.
//!
//! Its documentation calls it agnostic of the runtime, and shows tokio. On async-executor's static
//! executor it starts and stops sooner and needs half the memory, so that is what is measured.

use async_executor::StaticExecutor;
use async_shutdown::ShutdownManager;
use futures_lite::future::block_on;

use crate::meter::{self, Cost, Meter, Plan};

pub fn on_executor(plan: Plan) -> Vec<Cost> {
    let executor: &'static StaticExecutor = Box::leak(Box::default());
    block_on(executor.run(async {
        let mut costs = Vec::with_capacity(plan.groups);
        for _ in 0..plan.groups {
            costs.push(group(plan.services, executor).await);
        }
        costs
    }))
}

async fn group(services: usize, executor: &'static StaticExecutor) -> Cost {
    let meter = Meter::new(services);
    let shutdown = ShutdownManager::new();
    for _ in 0..services {
        let delay = shutdown.delay_shutdown_token().expect("it is yet to come");
        let stop = shutdown.wait_shutdown_triggered();
        let service = async move {
            meter::arrive();
            stop.await;
            meter::leave();
            drop(delay);
        };
        executor.spawn(service).detach();
    }
    let started = meter.all_wait().await;
    shutdown.trigger_shutdown(()).expect("triggered once");
    shutdown.wait_shutdown_complete().await;
    drop(shutdown);
    started.joined()
}
