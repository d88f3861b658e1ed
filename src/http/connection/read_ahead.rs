//! Whether to read before the reactor says that the socket is readable.

/// The most requests that pass without a try after one has failed.
const LONGEST_PAUSE: u8 = 63;

/// Whether reads ahead of the reactor have succeeded on a connection.
///
/// On a busy server the next request has arrived by the time the other connections have had their
/// turn, and one read is then cheaper than a registration with the reactor. On a server that is not
/// busy such a read fails. So after each failure in a row, twice as many requests pass before the
/// next try.
#[derive(Debug, Default)]
pub(super) struct ReadAhead {
    /// How many requests pass before the next try.
    pause_left: u8,
    /// How many requests passed before the last try.
    pause: u8,
}

impl ReadAhead {
    /// Returns true if a read is to be tried after this request.
    pub(super) fn is_due(&mut self) -> bool {
        let is_due = self.pause_left == 0;
        self.pause_left = self.pause_left.saturating_sub(1);
        is_due
    }

    /// Records whether a try has succeeded.
    pub(super) fn record(&mut self, succeeded: bool) {
        self.pause = match succeeded {
            true => 0,
            false => (2 * self.pause + 1).min(LONGEST_PAUSE),
        };
        self.pause_left = self.pause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_less_often_after_each_failure_and_again_after_a_success() {
        let mut read_ahead = ReadAhead::default();
        let mut tries = Vec::new();
        for request in 0..200 {
            if read_ahead.is_due() {
                tries.push(request);
                read_ahead.record(false);
            }
        }
        assert_eq!(tries, [0, 2, 6, 14, 30, 62, 126, 190]);
        read_ahead.record(true);
        assert!(read_ahead.is_due() && read_ahead.is_due());
    }
}
