//! One harness for all stories: each runs on every runtime, in a thread of its own, with a limit
//! that no machine is too slow for.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file has it as a module, and none uses all of it"
)]

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use async_executor::Executor;
use futures_executor::ThreadPool;
use neap::{Group, Task};

/// How long a story may take before it counts as stuck.
const LIMIT: Duration = Duration::from_secs(60);

/// A runtime that a group can be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// Nothing but `futures_lite::future::block_on`.
    InPlace,
    /// In place, with `smol::block_on` polling the reactor.
    InPlaceOnSmol,
    /// `smol::spawn`, one thread.
    Smol,
    /// A smol executor that four threads run.
    SmolThreads,
    /// `async_std::task::spawn`.
    AsyncStd,
    /// An `async_executor::Executor` that runs where the group is awaited.
    Executor,
    /// A `futures_executor::ThreadPool`.
    ThreadPool,
}

pub use Runtime::*;

/// All of them.
pub const ALL: [Runtime; 7] = [
    InPlace,
    InPlaceOnSmol,
    Smol,
    SmolThreads,
    AsyncStd,
    Executor,
    ThreadPool,
];

/// Those on which a service that blocks its thread does not block the group.
pub const THREADED: [Runtime; 4] = [Smol, SmolThreads, AsyncStd, ThreadPool];

impl Runtime {
    /// An empty group on this runtime.
    pub fn group(self) -> Group<'static> {
        match self {
            InPlace | InPlaceOnSmol => Group::new(),
            Smol => Group::on(|task| smol::spawn(task).detach()),
            SmolThreads => Group::on(|task| threads().spawn(task).detach()),
            AsyncStd => Group::on(|task| drop(async_std::task::spawn(task))),
            Executor => Group::on(|task| local().spawn(task).detach()),
            ThreadPool => Group::on(|task: Task<'static>| pool().spawn_ok(task)),
        }
    }

    /// Whether services run in the task of whoever awaits the group.
    pub fn is_in_place(self) -> bool {
        matches!(self, InPlace | InPlaceOnSmol)
    }

    /// Runs a future to its end, in the way of this runtime.
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

/// An executor that four threads run, for good.
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

/// The executor of the story that this thread is in.
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

/// Tells a story on every runtime.
pub fn on_all<F: Future<Output = ()> + 'static>(story: fn(Runtime) -> F) {
    on(&ALL, story);
}

/// Tells a story on some runtimes.
pub fn on<F: Future<Output = ()> + 'static>(runtimes: &[Runtime], story: fn(Runtime) -> F) {
    for &runtime in runtimes {
        eprintln!("on {runtime:?}");
        limited(move || runtime.block_on(story(runtime)));
    }
}

/// Tells a story on every runtime that is about a group from outside, by threads of its own.
pub fn beside_all(story: fn(Runtime)) {
    for runtime in ALL {
        eprintln!("beside {runtime:?}");
        limited(move || story(runtime));
    }
}

/// Runs a test in a thread of its own, and fails if it does not end.
pub fn limited(test: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = channel::<()>();
    let running = thread::spawn(move || {
        test();
        drop(sender);
    });
    if receiver.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
        panic!("still running after {LIMIT:?}");
    }
    if let Err(panic) = running.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Writes down what happens, in order.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Vec<String>>>);

impl Recorder {
    pub fn new() -> Recorder {
        Recorder::default()
    }

    pub fn note(&self, event: impl Into<String>) {
        self.0.lock().unwrap().push(event.into());
    }

    pub fn events(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Notes `event` when the answer is dropped.
    pub fn on_drop(&self, event: &str) -> impl Send + use<> {
        struct OnDrop(Recorder, String);
        impl Drop for OnDrop {
            fn drop(&mut self) {
                self.0.note(std::mem::take(&mut self.1));
            }
        }
        OnDrop(self.clone(), event.into())
    }

    /// Waits until as many events have been noted.
    pub fn wait_for(&self, count: usize) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let this = self.clone();
        Box::pin(async move {
            while this.events().len() < count {
                async_io::Timer::after(Duration::from_millis(1)).await;
            }
        })
    }
}

/// A gate that is shut until it is opened, once.
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

    /// The same, and the thread does nothing else.
    pub fn pass_blocking(&self) {
        let _ = self.1.recv_blocking();
    }
}
