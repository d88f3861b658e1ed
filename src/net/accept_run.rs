//! How many connections were in a queue, as far as its accepts tell.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::sync::{Mutex, lock};

/// How long a handshake may be in flight: its SYN-ACK is sent again 1, 2, 4, 8, 16 and 32 s after the
/// one before (`tcp_synack_retries`, tcp(7)).
const MEMORY: Duration = Duration::from_secs(63);

/// Counts the connections that were accepted without an empty queue in between.
///
/// If there were more than the queue can hold, it may have been full. The system does not tell.
#[derive(Debug, Default)]
pub(super) struct AcceptRun {
    /// The length of the present run. Only one task at a time accepts.
    length: AtomicUsize,
    /// The longest run before it, and when it ended.
    longest: Mutex<Option<(usize, Instant)>>,
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
        if length > 1 && length >= self.longest_ended() {
            *lock(&self.longest) = Some((length, Instant::now()));
        }
    }

    /// Returns the length of the longest run that a handshake in flight may have seen.
    pub(super) fn longest(&self) -> usize {
        let length = self.length.load(Ordering::Relaxed);
        length.max(self.longest_ended())
    }

    fn longest_ended(&self) -> usize {
        match *lock(&self.longest) {
            Some((length, at)) if at.elapsed() < MEMORY => length,
            _ => 0,
        }
    }
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
}
