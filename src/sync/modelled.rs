//! The types of the model checker loom, and what it has none of, made of those.
//!
//! loom takes `SeqCst` for `AcqRel`, but for fences. Here such an access has fences around it, as a
//! compiler puts there for a processor that knows no other way.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use loom::sync::atomic;
pub(crate) use loom::sync::atomic::fence;
pub(crate) use loom::sync::{Mutex, MutexGuard};

use super::{Ordering, lock};

/// Runs an access, between fences if the order is to be that of all others.
fn ordered<T>(order: Ordering, access: impl FnOnce() -> T) -> T {
    let fence = || {
        if order == Ordering::SeqCst {
            fence(order);
        }
    };
    fence();
    let accessed = access();
    fence();
    accessed
}

/// Wraps an atomic: its name, the type of its value, and which of its operations are used.
macro_rules! atomic {
    ($name:ident, $value:ty $(, $operation:ident)*) => {
        pub(crate) struct $name(atomic::$name);

        impl $name {
            pub(crate) fn new(value: $value) -> $name {
                $name(atomic::$name::new(value))
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                ordered(order, || self.0.load(order))
            }

            #[allow(dead_code, reason = "not every atomic is stored to")]
            pub(crate) fn store(&self, value: $value, order: Ordering) {
                ordered(order, || self.0.store(value, order));
            }

            $(
                pub(crate) fn $operation(&self, value: $value, order: Ordering) -> $value {
                    ordered(order, || self.0.$operation(value, order))
                }
            )*
        }
    };
}

atomic!(AtomicBool, bool, swap);
atomic!(AtomicU8, u8, swap);
atomic!(AtomicU16, u16, fetch_and, fetch_or);
atomic!(AtomicU32, u32, fetch_add, fetch_or, fetch_sub);
atomic!(AtomicU64, u64, fetch_add, fetch_sub);
atomic!(AtomicUsize, usize, fetch_add);

/// Adds [`fetch_update`](std::sync::atomic::AtomicU16::fetch_update) to an atomic.
macro_rules! fetch_update {
    ($name:ident, $value:ty) => {
        impl $name {
            pub(crate) fn fetch_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                next: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                ordered(set, || self.0.fetch_update(set, fetch, next))
            }
        }
    };
}

fetch_update!(AtomicU16, u16);
fetch_update!(AtomicU64, u64);

impl AtomicU32 {
    pub(crate) fn compare_exchange(
        &self,
        current: u32,
        new: u32,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u32, u32> {
        ordered(success, || {
            self.0.compare_exchange(current, new, success, failure)
        })
    }
}

/// A value that is set once.
///
/// The model has no such type. The flag orders the accesses, and the real lock, which is looked at
/// only as the flag allows, has the value.
pub(crate) struct OnceLock<T> {
    is_set: AtomicBool,
    setting: Mutex<()>,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> OnceLock<T> {
        OnceLock {
            is_set: AtomicBool::new(false),
            setting: Mutex::new(()),
            value: std::sync::OnceLock::new(),
        }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        let is_set = self.is_set.load(Ordering::Acquire);
        is_set.then(|| self.value.get()).flatten()
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        let _setting = lock(&self.setting);
        let set = self.value.set(value);
        self.is_set.store(true, Ordering::Release);
        set
    }

    pub(crate) fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
        let _setting = lock(&self.setting);
        let value = self.value.get_or_init(init);
        self.is_set.store(true, Ordering::Release);
        value
    }

    pub(crate) fn take(&mut self) -> Option<T> {
        self.is_set.store(false, Ordering::Relaxed);
        self.value.take()
    }
}

/// A waker that is left by one thread and woken by others.
pub(crate) struct AtomicWaker {
    waker: Mutex<Option<Waker>>,
}

impl AtomicWaker {
    pub(crate) fn new() -> AtomicWaker {
        AtomicWaker {
            waker: Mutex::new(None),
        }
    }

    pub(crate) fn register(&self, waker: &Waker) {
        *lock(&self.waker) = Some(waker.clone());
    }

    pub(crate) fn wake(&self) {
        self.take().into_iter().for_each(Waker::wake);
    }

    pub(crate) fn take(&self) -> Option<Waker> {
        lock(&self.waker).take()
    }
}

/// An event that many wait for.
#[derive(Default)]
pub(crate) struct Event {
    listening: Mutex<Vec<Weak<Mutex<Listening>>>>,
}

/// What an event and one of its listeners share.
#[derive(Debug, Default)]
struct Listening {
    is_notified: bool,
    waker: Option<Waker>,
}

impl Event {
    pub(crate) fn new() -> Event {
        Event::default()
    }

    /// Notifies all listeners: the core never notifies fewer.
    pub(crate) fn notify(&self, _: usize) {
        let listening = std::mem::take(&mut *lock(&self.listening));
        for listening in listening.iter().filter_map(Weak::upgrade) {
            let waker = {
                let mut listening = lock(&listening);
                listening.is_notified = true;
                listening.waker.take()
            };
            waker.into_iter().for_each(Waker::wake);
        }
    }

    pub(crate) fn listen(&self) -> EventListener {
        let listening = Arc::new(Mutex::new(Listening::default()));
        lock(&self.listening).push(Arc::downgrade(&listening));
        EventListener { listening }
    }
}

/// One that waits for an event.
#[derive(Debug)]
pub(crate) struct EventListener {
    listening: Arc<Mutex<Listening>>,
}

impl Future for EventListener {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut listening = lock(&self.listening);
        if listening.is_notified {
            return Poll::Ready(());
        }
        listening.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Waiting on a thread. No time passes in a model.
pub(crate) trait Listener: Sized {
    fn wait(self);

    fn wait_deadline(self, _: Instant) -> Option<()> {
        self.wait();
        Some(())
    }
}

impl Listener for EventListener {
    fn wait(self) {
        loom::future::block_on(self);
    }
}
