//! The reloads of this process: from a reload signal until the program has done what it asks for.
//!
//! Signals belong to the process, as the socket of the service manager does: so there is one of this.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use atomic_waker::AtomicWaker;
use sd_notify::NotifyState;

/// The reloads of this process, once a group tells the service manager of them.
static RELOADS: OnceLock<Arc<Reloads>> = OnceLock::new();

/// The reloads of this process.
#[derive(Default)]
pub(super) struct Reloads {
    state: Mutex<State>,

    /// True if one has begun or ended since the last look. It spares a look that finds nothing the lock.
    has_changed: AtomicBool,

    /// The task that tells of them.
    pub(super) teller: AtomicWaker,
}

#[derive(Default)]
struct State {
    /// How many are in progress: a program may have several readers of its reload signal.
    in_progress: usize,

    /// When the last one began, unless that was told.
    news: Option<NotifyState<'static>>,
}

impl Reloads {
    /// Returns those of this process.
    pub(super) fn of_this_process() -> Arc<Reloads> {
        Arc::clone(RELOADS.get_or_init(Arc::default))
    }

    /// Returns when the last reload began, if one has begun since the last call, and whether any is in
    /// progress. `None` if nothing has changed.
    pub(super) fn take(&self) -> Option<(Option<NotifyState<'static>>, bool)> {
        // Acquire, as what has changed was written before.
        if !self.has_changed.swap(false, Ordering::Acquire) {
            return None;
        }
        let mut state = self.lock();
        Some((state.news.take(), state.in_progress > 0))
    }

    /// Tells of a change, after it.
    #[cfg(feature = "signal")]
    fn announce(&self) {
        self.has_changed.store(true, Ordering::Release);
        self.teller.wake();
    }

    /// Forgets what is done already: it is no reload to a service manager that took the service to be
    /// starting.
    pub(super) fn forget_done(&self) {
        let mut state = self.lock();
        if state.in_progress == 0 {
            state.news = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reload in progress. Its drop is the end of it.
#[cfg(feature = "signal")]
pub(crate) struct Reload(Arc<Reloads>);

#[cfg(feature = "signal")]
impl Reload {
    /// Notes that a reload signal has come. `None` if no group tells the service manager.
    pub(crate) fn begin() -> Option<Reload> {
        let reloads = Arc::clone(RELOADS.get()?);
        let mut state = reloads.lock();
        state.in_progress += 1;
        // Without a clock there is nothing that the service manager would understand.
        state.news = NotifyState::monotonic_usec_now().ok();
        drop(state);
        reloads.announce();
        Some(Reload(reloads))
    }
}

#[cfg(feature = "signal")]
impl Drop for Reload {
    fn drop(&mut self) {
        self.0.lock().in_progress -= 1;
        self.0.announce();
    }
}
