//! How many connections were in a queue, as far as its accepts tell.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::sync::{Mutex, lock};

/// How long a handshake may be in flight: its SYN-ACK is sent again 1, 2, 4, 8, 16 and 32 s after the
/// one before (`tcp_synack_retries`, tcp(7)).
const MEMORY: Duration = Duration::from_secs(63);

/// The most runs that are remembered. They are ever shorter, so a queue overflows in few of them.
const MOST_RUNS: usize = 64;

/// Counts the connections that were accepted without an empty queue in between.
///
/// If there were more than the queue can hold, it may have been full. The system does not tell.
#[derive(Debug, Default)]
pub(super) struct AcceptRun {
    /// The length of the present run. Only one task at a time accepts.
    length: AtomicUsize,
    /// The longest runs before it, each longer than those after it, and when they ended.
    ended: Mutex<VecDeque<(usize, Instant)>>,
}

impl AcceptRun {
    /// Notes that a connection was accepted.
    pub(super) fn add(&self) {
        self.length.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that the queue was empty.
    pub(super) fn end(&self) {
        let length = self.length.load(Ordering::Relaxed);
        if length == 0 {
            return;
        }
        self.length.store(0, Ordering::Relaxed);
        // So it is mostly, and is no news.
        if length > 1 {
            self.note(length, Instant::now());
        }
    }

    fn note(&self, length: usize, now: Instant) {
        let mut ended = lock(&self.ended);
        while ended.back().is_some_and(|(other, _)| *other <= length) {
            ended.pop_back();
        }
        while ended.front().is_some_and(|(_, at)| is_forgotten(*at, now)) {
            ended.pop_front();
        }
        if ended.len() < MOST_RUNS {
            ended.push_back((length, now));
        }
    }

    /// Returns the length of the longest run that a handshake in flight may have seen.
    pub(super) fn longest(&self) -> usize {
        let length = self.length.load(Ordering::Relaxed);
        length.max(self.longest_ended())
    }

    fn longest_ended(&self) -> usize {
        let (ended, now) = (lock(&self.ended), Instant::now());
        let known = ended.iter().find(|(_, at)| !is_forgotten(*at, now));
        known.map_or(0, |(length, _)| *length)
    }
}

fn is_forgotten(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) >= MEMORY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_run_is_remembered() {
        let run = AcceptRun::default();
        for length in [3, 5, 2] {
            (0..length).for_each(|_| run.add());
            run.end();
            run.end();
        }
        assert_eq!(run.longest(), 5);
        (0..7).for_each(|_| run.add());
        assert_eq!(run.longest(), 7);
    }

    #[test]
    fn a_shorter_run_counts_once_the_longer_is_forgotten() {
        let (run, now) = (AcceptRun::default(), Instant::now());
        let Some(long_ago) = now.checked_sub(MEMORY) else {
            return;
        };
        run.note(20, long_ago);
        run.note(18, now);
        run.note(3, now);
        assert_eq!(run.longest(), 18);
    }
}
