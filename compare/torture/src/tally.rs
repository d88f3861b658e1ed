//! What became of the requests of one kind of client.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What became of the requests of one kind of client.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Requests with a whole and right answer.
    pub(crate) answered: AtomicUsize,
    /// Connections that ended as they may, without an answer.
    pub(crate) ended: AtomicUsize,
    /// Requests that the client itself sent too late: the server may have closed by then.
    pub(crate) late: AtomicUsize,
    /// Requests that are lost, by the definition of the README.
    pub(crate) lost: AtomicUsize,
    /// Answers that are not as they must be.
    pub(crate) wrong: AtomicUsize,
    /// Connections that were reset though the client gave no reason.
    pub(crate) reset: AtomicUsize,
    /// What went wrong first.
    faults: Mutex<Vec<String>>,
}

impl Tally {
    pub(crate) fn add(&self, which: impl Fn(&Self) -> &AtomicUsize) {
        which(self).fetch_add(1, Relaxed);
    }

    /// Counts a fault and keeps the first few descriptions.
    pub(crate) fn fault(
        &self,
        which: impl Fn(&Self) -> &AtomicUsize,
        what: impl FnOnce() -> String,
    ) {
        self.add(which);
        if let Ok(mut faults) = self.faults.lock() {
            if faults.len() < 3 {
                faults.push(what());
            }
        }
    }

    /// Adds what another has counted, with where that was.
    pub(crate) fn merge(&self, other: &Self, place: &str) {
        let counts = [
            &self.answered,
            &self.ended,
            &self.late,
            &self.lost,
            &self.wrong,
            &self.reset,
        ];
        for (count, more) in counts.into_iter().zip(other.counts()) {
            count.fetch_add(more, Relaxed);
        }
        if let Ok(mut faults) = self.faults.lock() {
            let more = other
                .faults()
                .into_iter()
                .map(|fault| format!("{fault} ({place})"));
            faults.extend(more);
            faults.truncate(3);
        }
    }

    /// Returns the first faults, described.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.faults
            .lock()
            .map(|faults| faults.clone())
            .unwrap_or_default()
    }

    /// Returns how many faults there were.
    pub(crate) fn fault_count(&self) -> usize {
        [&self.lost, &self.wrong, &self.reset]
            .iter()
            .map(|count| count.load(Relaxed))
            .sum()
    }

    /// Returns the counts in the order of their fields.
    pub(crate) fn counts(&self) -> [usize; 6] {
        let Self {
            answered,
            ended,
            late,
            lost,
            wrong,
            reset,
            ..
        } = self;
        [answered, ended, late, lost, wrong, reset].map(|count| count.load(Relaxed))
    }
}
