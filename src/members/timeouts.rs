//! How long the services of a group have to end.

use std::time::Duration;

use crate::sync::{AtomicU64, Ordering};
use crate::time::{FOREVER, nanos};

/// How long a drain may take unless the group says otherwise.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait for services that block their thread unless the group says otherwise.
const CANCEL_TIMEOUT: Duration = Duration::from_millis(500);

/// The timeouts of a group, in nanoseconds; [`FOREVER`](crate::time::FOREVER) never runs out.
pub(crate) struct Timeouts {
    drain: AtomicU64,
    cancel: AtomicU64,
}

impl Timeouts {
    pub(crate) fn new() -> Timeouts {
        Timeouts {
            drain: AtomicU64::new(nanos(DRAIN_TIMEOUT)),
            cancel: AtomicU64::new(nanos(CANCEL_TIMEOUT)),
        }
    }

    /// Returns how long a drain may take.
    pub(crate) fn drain(&self) -> u64 {
        self.drain.load(Ordering::Relaxed)
    }

    pub(crate) fn set_drain(&self, timeout: Duration) {
        self.drain.store(nanos(timeout), Ordering::Relaxed);
    }

    /// Returns how long to wait for services that were cancelled.
    pub(crate) fn cancel(&self) -> u64 {
        self.cancel.load(Ordering::Relaxed)
    }

    pub(crate) fn set_cancel(&self, timeout: Duration) {
        self.cancel.store(nanos(timeout), Ordering::Relaxed);
    }

    /// Returns how long a drain, and so many cancels after it, may take; `None` if that is forever.
    pub(crate) fn budget(&self, cancels: u64) -> Option<u64> {
        let (drain, cancel) = (self.drain(), self.cancel());
        let is_forever = drain == FOREVER || cancel == FOREVER;
        (!is_forever).then(|| drain.saturating_add(cancel.saturating_mul(cancels)))
    }
}
