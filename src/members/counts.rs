//! How many services of a group have not ended.

use crate::sync::{AtomicU64, Ordering};

/// One service in the upper half of [`Counts`].
const BACKGROUND: u64 = 1 << 32;

/// How many services have not ended: those that keep the group alive in the lower half of the
/// word, those in the background in the upper half.
pub(crate) struct Counts(AtomicU64);

impl Counts {
    pub(crate) fn new() -> Counts {
        Counts(AtomicU64::new(0))
    }

    fn one(is_background: bool) -> u64 {
        if is_background { BACKGROUND } else { 1 }
    }

    /// Counts a service in.
    pub(crate) fn enter(&self, is_background: bool) {
        self.0
            .fetch_add(Counts::one(is_background), Ordering::Relaxed);
    }

    /// Moves a service, already counted, to the background.
    pub(crate) fn move_to_background(&self) {
        self.0.fetch_add(BACKGROUND - 1, Ordering::Relaxed);
    }

    /// Counts a service out; true if it was the last of its half.
    #[must_use = "the supervisor sleeps on"]
    pub(crate) fn leave(&self, is_background: bool) -> bool {
        let one = Counts::one(is_background);
        // Release what the service did to whatever sees it gone; acquire for the last one.
        let left = self.0.fetch_sub(one, Ordering::AcqRel) - one;
        left == 0 || (!is_background && left % BACKGROUND == 0)
    }

    /// Returns how many services keep the group alive.
    pub(crate) fn foreground(&self) -> usize {
        (self.0.load(Ordering::Acquire) % BACKGROUND) as usize
    }

    /// Returns true if no service keeps the group alive.
    pub(crate) fn is_quiet(&self) -> bool {
        self.0.load(Ordering::Acquire) % BACKGROUND == 0
    }

    /// Returns true if every service has ended.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }
}
