//! Runs a test on every runtime, in a thread of its own, with a time limit.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary has this module, and none uses all of it"
)]

use std::future::Future;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use async_executor::Executor;
use futures_executor::ThreadPool;
use neap::{Group, Task};

/// How long a test may take before it counts as stuck. No machine is that slow.
const LIMIT: Duration = Duration::from_secs(60);

/// A runtime that a group can be on. In place, the thread that awaits the group polls its services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// In place, with `futures_lite::future::block_on`.
    InPlace,
    /// In place, with `smol::block_on`, which polls the reactor too.
    InPlaceOnSmol,
    /// `smol::spawn`, one thread.
    Smol,
    /// An executor of smol's on four threads.
    SmolThreads,
    /// `async_std::task::spawn`.
    AsyncStd,
    /// An `async_executor::Executor` on the thread that awaits the group.
    Executor,
    /// A `futures_executor::ThreadPool`.
    ThreadPool,
}

pub use Runtime::*;

/// All runtimes.
pub const ALL: [Runtime; 7] = [
    InPlace,
    InPlaceOnSmol,
    Smol,
    SmolThreads,
    AsyncStd,
    Executor,
    ThreadPool,
];

/// The runtimes on which a service that blocks its thread does not block the group.
pub const THREADED: [Runtime; 4] = [Smol, SmolThreads, AsyncStd, ThreadPool];

impl Runtime {
    /// Returns an empty group on this runtime.
    pub fn group(self) -> Group<'static> {
        match self {
            InPlace | InPlaceOnSmol => Group::new(),
            Smol => Group::on(smol::spawn),
            SmolThreads => Group::on(|task| threads().spawn(task).detach()),
            AsyncStd => Group::on(async_std::task::spawn),
            Executor => Group::on(|task| local().spawn(task).detach()),
            ThreadPool => Group::on(|task: Task<'static>| pool().spawn_ok(task)),
        }
    }

    /// Returns true if services run in the task that awaits the group.
    pub fn is_in_place(self) -> bool {
        matches!(self, InPlace | InPlaceOnSmol)
    }

    /// Runs a future to its end, as this runtime does it.
    pub fn block_on<F: Future>(self, future: F) -> F::Output {
        match self {
            InPlaceOnSmol | Smol | SmolThreads => smol::block_on(future),
            AsyncStd => async_std::task::block_on(future),
            Executor => futures_lite::future::block_on(local().run(future)),
            InPlace => futures_lite::future::block_on(future),
            ThreadPool => futures_executor::block_on(future),
        }
    }
}

/// An executor with four threads that never end.
fn threads() -> &'static Arc<Executor<'static>> {
    static THREADS: OnceLock<Arc<Executor<'static>>> = OnceLock::new();
    THREADS.get_or_init(|| {
        let executor = Arc::new(async_executor::Executor::new());
        for _ in 0..4 {
            let executor = Arc::clone(&executor);
            thread::spawn(move || {
                smol::block_on(executor.run(std::future::pending::<()>()));
            });
        }
        executor
    })
}

/// The executor of this thread, on which one test runs.
fn local() -> &'static Executor<'static> {
    thread_local!(static LOCAL: &'static Executor<'static> = Box::leak(Box::default()));
    LOCAL.with(|local| *local)
}

fn pool() -> &'static ThreadPool {
    static POOL: OnceLock<ThreadPool> = OnceLock::new();
    POOL.get_or_init(|| {
        futures_executor::ThreadPool::builder()
            .pool_size(4)
            .create()
            .unwrap()
    })
}

/// Runs a test on every runtime.
pub fn on_all<F: Future<Output = ()> + 'static>(test: fn(Runtime) -> F) {
    on(&ALL, test);
}

/// Runs a test on some runtimes.
pub fn on<F: Future<Output = ()> + 'static>(runtimes: &[Runtime], test: fn(Runtime) -> F) {
    for &runtime in runtimes {
        eprintln!("on {runtime:?}");
        limited(move || runtime.block_on(test(runtime)));
    }
}

/// Runs a test for every runtime that does not run on the runtime itself: it has threads of its own.
pub fn beside_all(test: fn(Runtime)) {
    for runtime in ALL {
        eprintln!("beside {runtime:?}");
        limited(move || test(runtime));
    }
}

/// Runs a test in a thread of its own, and fails if it does not end within [`LIMIT`].
pub fn limited<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = channel::<()>();
    let running = thread::spawn(move || {
        let _sender = sender;
        test()
    });
    if receiver.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
        panic!("still running after {LIMIT:?}");
    }
    running
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A gate that is closed until it is opened, once. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(async_channel::Sender<()>, async_channel::Receiver<()>);

impl Gate {
    pub fn new() -> Gate {
        let (sender, receiver) = async_channel::bounded(1);
        Gate(sender, receiver)
    }

    pub fn open(&self) {
        self.0.close();
    }

    /// Waits until the gate is open.
    pub async fn pass(&self) {
        let _ = self.1.recv().await;
    }

    /// Blocks the thread until the gate is open.
    pub fn pass_blocking(&self) {
        let _ = self.1.recv_blocking();
    }
}
