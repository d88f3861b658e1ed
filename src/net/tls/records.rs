//! Where the records of TLS begin and end in what comes.

/// The length of the header of a record: its type, a version, and the length of the rest.
const HEADER: usize = 5;
/// The type of records that have application data. In TLS 1.3 all that are encrypted have it.
const APPLICATION_DATA: u8 = 23;

/// Follows the records in a stream of bytes by their headers (RFC 8446, 5.1; RFC 5246, 6.2.1).
///
/// The library knows of a record when it is whole. It does not tell whether it has a part of one.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// The header of the present record, as far as it has come.
    header: [u8; HEADER],
    /// How many bytes those are; 0 between two records.
    begun: usize,
    /// How many bytes are to come behind the header.
    missing: usize,
}

impl Records {
    /// Goes on behind these bytes.
    pub(super) fn advance(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = if self.begun < HEADER {
                let taken = bytes.len().min(HEADER - self.begun);
                self.header[self.begun..][..taken].copy_from_slice(&bytes[..taken]);
                self.begun += taken;
                self.missing = usize::from(u16::from_be_bytes([self.header[3], self.header[4]]));
                taken
            } else {
                let taken = bytes.len().min(self.missing);
                self.missing -= taken;
                taken
            };
            if self.begun == HEADER && self.missing == 0 {
                self.begun = 0;
            }
            bytes = &bytes[taken..];
        }
    }

    /// Returns true if a part of a record has come that may have application data, and the rest has not.
    pub(super) fn is_amid_data(&self) -> bool {
        self.begun > 0 && self.header[0] == APPLICATION_DATA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four records: one of a handshake, two of application data, of which one has none, and an alert.
    const FOUR: [&[u8]; 4] = [
        &[22, 3, 1, 0, 2, 9, 9],
        &[23, 3, 3, 0, 3, 23, 23, 23],
        &[23, 3, 3, 0, 0],
        &[21, 3, 3, 0, 1, 9],
    ];

    /// Returns whether each byte leaves a part of a record with application data.
    fn expected() -> Vec<bool> {
        let within = |record: &&[u8]| {
            let (kind, last) = (record[0], record.len() - 1);
            (0..=last).map(move |at| kind == 23 && at < last)
        };
        FOUR.iter().flat_map(within).collect()
    }

    #[test]
    fn a_record_is_begun_until_its_last_byte_however_it_is_cut() {
        let (all, expected) = (FOUR.concat(), expected());
        for first in 1..=all.len() {
            for second in first..=all.len() {
                let mut records = Records::default();
                let mut done = 0;
                for end in [first, second, all.len()] {
                    records.advance(&all[done..end]);
                    assert_eq!(
                        records.is_amid_data(),
                        expected[end - 1],
                        "{first} {second}"
                    );
                    done = end;
                }
            }
        }
    }

    #[test]
    fn lengths_of_two_bytes_are_read() {
        let mut records = Records::default();
        records.advance(&[23, 3, 3, 0x40, 0x11]);
        records.advance(&[0; 0x4010]);
        assert!(records.is_amid_data());
        records.advance(&[0]);
        assert!(!records.is_amid_data());
    }
}
