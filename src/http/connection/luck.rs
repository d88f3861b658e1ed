//! Whether a read is worth a try before the reactor says so.

/// For how many requests, at most, no read is tried after one was in vain.
const LONGEST: u8 = 63;

/// How reads that were tried unasked have fared on a connection.
///
/// On a busy server the next request is there by the time that the other connections have had their
/// turn, and a read is then cheaper than asking the reactor. On an idle one it is in vain: so after
/// each failure in a row twice as many requests pass before the next try.
#[derive(Debug, Default)]
pub(super) struct Luck {
    /// How many requests pass before the next try.
    skip: u8,
    /// How many passed before the last.
    skipped: u8,
}

impl Luck {
    /// Whether to try after this request.
    pub(super) fn holds(&mut self) -> bool {
        let holds = self.skip == 0;
        self.skip = self.skip.saturating_sub(1);
        holds
    }

    /// Notes how a try went.
    pub(super) fn note(&mut self, won: bool) {
        self.skipped = match won {
            true => 0,
            false => (2 * self.skipped + 1).min(LONGEST),
        };
        self.skip = self.skipped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_less_and_less_in_vain_and_again_after_a_success() {
        let mut luck = Luck::default();
        let mut tries = Vec::new();
        for request in 0..200 {
            if luck.holds() {
                tries.push(request);
                luck.note(false);
            }
        }
        assert_eq!(tries, [0, 2, 6, 14, 30, 62, 126, 190]);
        luck.note(true);
        assert!(luck.holds() && luck.holds());
    }
}
