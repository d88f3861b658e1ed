//! The real types, with a [point](super::chaos) before each thing they do.

use std::sync::atomic::{self, Ordering};
use std::sync::{LockResult, MutexGuard};
use std::task::Waker;

use event_listener::EventListener;

use super::chaos::point;

/// Wraps an atomic: its name, the type of its value, and which of its operations are used.
macro_rules! atomic {
    ($name:ident, $value:ty $(, $operation:ident)*) => {
        pub(crate) struct $name(atomic::$name);

        impl $name {
            pub(crate) const fn new(value: $value) -> $name {
                $name(atomic::$name::new(value))
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                point();
                self.0.load(order)
            }

            #[allow(dead_code, reason = "not every atomic is stored to")]
            pub(crate) fn store(&self, value: $value, order: Ordering) {
                point();
                self.0.store(value, order);
            }

            $(
                pub(crate) fn $operation(&self, value: $value, order: Ordering) -> $value {
                    point();
                    self.0.$operation(value, order)
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
atomic!(AtomicUsize, usize);

/// Adds [`fetch_update`](atomic::AtomicU16::fetch_update) to an atomic.
macro_rules! fetch_update {
    ($name:ident, $value:ty) => {
        impl $name {
            pub(crate) fn fetch_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut next: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                point();
                self.0.fetch_update(set, fetch, |value| {
                    // Between the load and the exchange, which then has to be tried again.
                    point();
                    next(value)
                })
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
        point();
        self.0.compare_exchange(current, new, success, failure)
    }
}

pub(crate) fn fence(order: Ordering) {
    point();
    atomic::fence(order);
}

#[derive(Default)]
pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Mutex<T> {
        Mutex(std::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        point();
        self.0.lock()
    }
}

pub(crate) struct OnceLock<T>(std::sync::OnceLock<T>);

impl<T> OnceLock<T> {
    pub(crate) const fn new() -> OnceLock<T> {
        OnceLock(std::sync::OnceLock::new())
    }

    pub(crate) fn get(&self) -> Option<&T> {
        point();
        self.0.get()
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        point();
        self.0.set(value)
    }

    pub(crate) fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
        point();
        self.0.get_or_init(init)
    }

    pub(crate) fn take(&mut self) -> Option<T> {
        self.0.take()
    }
}

#[derive(Default)]
pub(crate) struct Event(event_listener::Event);

impl Event {
    pub(crate) const fn new() -> Event {
        Event(event_listener::Event::new())
    }

    pub(crate) fn notify(&self, n: usize) -> usize {
        point();
        self.0.notify(n)
    }

    pub(crate) fn listen(&self) -> EventListener {
        point();
        self.0.listen()
    }
}

pub(crate) struct AtomicWaker(atomic_waker::AtomicWaker);

impl AtomicWaker {
    pub(crate) const fn new() -> AtomicWaker {
        AtomicWaker(atomic_waker::AtomicWaker::new())
    }

    pub(crate) fn register(&self, waker: &Waker) {
        point();
        self.0.register(waker);
    }

    pub(crate) fn wake(&self) {
        point();
        self.0.wake();
    }

    pub(crate) fn take(&self) -> Option<Waker> {
        point();
        self.0.take()
    }
}
