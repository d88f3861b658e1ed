//! tokio-util: a `CancellationToken` to stop services and a `TaskTracker` to join them, together as
//! tokio's own page on graceful shutdown has them.
//!
//! On one thread it runs in the current-thread runtime. On two, a task starts the services: tokio says
//! that spawning from outside its workers is slower, and for one service it is 15 times slower.

use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::meter::{self, Cost, Meter, Plan};

pub fn one_thread(plan: Plan) -> Vec<Cost> {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(measure(plan))
}

pub fn two_threads(plan: Plan) -> Vec<Cost> {
    let runtime = Builder::new_multi_thread().worker_threads(2).build();
    let runtime = runtime.expect("a runtime");
    let measured = runtime.block_on(runtime.spawn(measure(plan)));
    measured.expect("no panic")
}

async fn measure(plan: Plan) -> Vec<Cost> {
    let mut costs = Vec::with_capacity(plan.groups);
    for _ in 0..plan.groups {
        costs.push(group(plan.services).await);
    }
    costs
}

async fn group(services: usize) -> Cost {
    let meter = Meter::new(services);
    let (token, tracker) = (CancellationToken::new(), TaskTracker::new());
    for _ in 0..services {
        let token = token.clone();
        tracker.spawn(async move {
            meter::arrive();
            token.cancelled().await;
            meter::leave();
        });
    }
    tracker.close();
    let started = meter.all_wait().await;
    token.cancel();
    tracker.wait().await;
    drop((token, tracker));
    started.joined()
}
