//! What threads share: locks, atomics, events and wakers. The core has them from here alone.
//!
//! In a normal build these are the real types, and nothing is added to them. With `--cfg neap_chaos`
//! each pauses at random before what it does, and in the unit tests with `--cfg neap_loom` each is
//! that of the model checker. `Arc` and `Weak` are the real ones throughout: a waker is made of an
//! `Arc`.

#[cfg(neap_chaos)]
pub mod chaos;

#[cfg(neap_chaos)]
mod paused;

#[cfg(all(test, neap_loom))]
mod modelled;

use std::sync::PoisonError;

pub(crate) use std::sync::atomic::Ordering;

#[cfg(neap_chaos)]
pub(crate) use paused::{
    AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, AtomicWaker, Event, Mutex,
    OnceLock, fence,
};

#[cfg(all(test, neap_loom))]
pub(crate) use modelled::{
    AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, AtomicWaker, Event,
    EventListener, Listener, Mutex, MutexGuard, OnceLock, fence,
};

#[cfg(not(any(neap_chaos, all(test, neap_loom))))]
pub(crate) use {
    atomic_waker::AtomicWaker,
    event_listener::Event,
    std::sync::atomic::{
        AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, fence,
    },
    std::sync::{Mutex, OnceLock},
};

#[cfg(not(all(test, neap_loom)))]
pub(crate) use {
    event_listener::{EventListener, Listener},
    std::sync::MutexGuard,
};

/// Locks, also after a panic: what the locks of this crate guard is whole between any two calls.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a number that no earlier call has returned.
pub(crate) fn next_number() -> u64 {
    // Not modelled: the model checker has no statics, and this orders nothing.
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
