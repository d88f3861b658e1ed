//! tokio-graceful-shutdown: each service is a subsystem of the top level, as its documentation has it.
//!
//! Its documentation runs on tokio's default, the runtime of several threads; on one it is quicker.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_graceful_shutdown::{SubsystemBuilder, SubsystemHandle, Toplevel};

use crate::meter::{self, Cost, Meter, Plan};

/// Longer than any drain here.
const TIMEOUT: Duration = Duration::from_secs(600);

pub fn one_thread(plan: Plan) -> Vec<Cost> {
    let runtime = Builder::new_current_thread().enable_time().build();
    measure(plan, runtime.expect("a runtime"))
}

pub fn two_threads(plan: Plan) -> Vec<Cost> {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_time().build();
    measure(plan, runtime.expect("a runtime"))
}

fn measure(plan: Plan, runtime: Runtime) -> Vec<Cost> {
    let mut costs = Vec::with_capacity(plan.groups);
    for _ in 0..plan.groups {
        costs.push(runtime.block_on(group(plan.services)));
    }
    costs
}

async fn group(services: usize) -> Cost {
    let meter = Meter::new(services);
    let (sender, receiver) = tokio::sync::oneshot::channel();
    Toplevel::new(async move |top: &mut SubsystemHandle| {
        for _ in 0..services {
            top.start(SubsystemBuilder::new("service", service));
        }
        // Received below; were the other end gone, that would panic.
        let _ = sender.send(meter.all_wait().await);
        top.request_shutdown();
    })
    .handle_shutdown_requests(TIMEOUT)
    .await
    .expect("no subsystem fails");
    receiver.await.expect("sent before the end").joined()
}

async fn service(handle: &mut SubsystemHandle) -> io::Result<()> {
    meter::arrive();
    handle.on_shutdown_requested().await;
    meter::leave();
    Ok(())
}
