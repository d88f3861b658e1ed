//! Where connections count what they do.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use ::http::StatusCode;

/// The least status, and how many there are: from 100 to 999.
const LEAST: usize = 100;
const STATUSES: usize = 900;

/// The place where some of the connections count.
///
/// Only sums are read, and nothing is ordered by them: `Relaxed` is enough.
#[repr(align(128))]
pub(in crate::http) struct Shard {
    received: AtomicU64,
    sent: AtomicU64,
    cut: AtomicU64,
    answers: [AtomicU64; STATUSES],
}

impl Shard {
    pub(in crate::http) fn add_received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(in crate::http) fn add_sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts a response that was written to its end.
    pub(in crate::http) fn add_answer(&self, status: StatusCode) {
        let at = usize::from(status.as_u16()) - LEAST;
        if let Some(count) = self.answers.get(at) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a response that was cut.
    pub(in crate::http) fn add_cut(&self) {
        self.cut.fetch_add(1, Ordering::Relaxed);
    }
}

impl Shard {
    pub(in crate::http) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub(in crate::http) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(in crate::http) fn cut(&self) -> u64 {
        self.cut.load(Ordering::Relaxed)
    }

    /// Returns how many responses had this status.
    pub(in crate::http) fn answers(&self, status: u16) -> u64 {
        let count = self.answers.get(usize::from(status) - LEAST);
        count.map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self {
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            answers: [const { AtomicU64::new(0) }; STATUSES],
        }
    }
}

impl fmt::Debug for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shard").finish_non_exhaustive()
    }
}
