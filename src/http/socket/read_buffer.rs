//! Bytes that were read and are not used yet.

use super::pool::{BUFFER_SIZE, Pool};

thread_local! {
    /// Buffers of [`BUFFER_SIZE`] bytes, all initialised.
    static POOL: Pool = const { Pool::new() };
}

/// The most bytes that are moved to memory of their own size before a wait.
const FEW: usize = BUFFER_SIZE / 2;

/// Bytes that were read and are not used yet.
///
/// An empty buffer holds no memory, so an idle connection costs none. A busy one takes the memory
/// that the last request on its thread has given back. One that waits for more holds little more than
/// the bytes that have come, see [`shrink`](ReadBuffer::shrink).
#[derive(Debug, Default)]
pub(in crate::http) struct ReadBuffer {
    /// Empty, or initialised throughout.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl ReadBuffer {
    /// Returns the bytes that were read and not used.
    pub(in crate::http) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(in crate::http) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(in crate::http) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Returns the space to read into. It is empty once `limit` bytes, at least [`BUFFER_SIZE`], wait
    /// to be used.
    pub(in crate::http) fn space(&mut self, limit: usize) -> &mut [u8] {
        if self.bytes.len() < BUFFER_SIZE {
            self.enlarge();
        }
        if self.end == self.bytes.len() {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            if self.end == self.bytes.len() && self.end < limit {
                let larger = (2 * self.end).min(limit);
                self.bytes.resize(larger, 0);
            }
        }
        &mut self.bytes[self.end..]
    }

    /// Moves the bytes to memory of the usual size.
    fn enlarge(&mut self) {
        let mut bytes = Pool::take(&POOL).unwrap_or_else(|| vec![0; BUFFER_SIZE]);
        let length = self.len();
        bytes[..length].copy_from_slice(self.filled());
        self.bytes = bytes;
        (self.start, self.end) = (0, length);
    }

    /// Gives the memory back that a wait for more bytes has no use for: all if there are no bytes, and
    /// most if there are few. Thousands of clients that have sent half a request would hold 16 KiB each.
    pub(in crate::http) fn shrink(&mut self) {
        if self.is_empty() {
            self.release();
        } else if self.len() <= FEW && self.bytes.len() > FEW {
            let bytes = self.filled().to_vec();
            self.release();
            self.end = bytes.len();
            self.bytes = bytes;
        }
    }

    /// Adds the first n bytes of the space, which were read into it.
    pub(in crate::http) fn advance(&mut self, bytes: usize) {
        self.end += bytes;
    }

    /// Drops n bytes from the front. When none is left, the memory is given back.
    pub(in crate::http) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        if self.is_empty() {
            self.release();
        }
    }

    /// Moves bytes from the front into `out`, as many as fit; returns their number.
    pub(in crate::http) fn take(&mut self, out: &mut [u8]) -> usize {
        let taken = self.len().min(out.len());
        out[..taken].copy_from_slice(&self.filled()[..taken]);
        self.consume(taken);
        taken
    }

    /// Drops all bytes and gives the memory back.
    pub(in crate::http) fn release(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        (self.start, self.end) = (0, 0);
        if bytes.len() == BUFFER_SIZE {
            Pool::keep(&POOL, bytes);
        }
    }
}

impl Drop for ReadBuffer {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_up_to_its_limit_and_holds_nothing_when_empty() {
        let mut buffer = ReadBuffer::default();
        let limit = 3 * BUFFER_SIZE;
        let mut total = 0;
        while let space @ 1.. = buffer.space(limit).len() {
            buffer.advance(space);
            total += space;
        }
        assert_eq!((total, buffer.len()), (limit, limit));
        buffer.consume(limit - 1);
        assert_eq!(buffer.space(limit).len(), limit - 1);
        buffer.consume(1);
        assert!(buffer.is_empty() && buffer.bytes.is_empty());
        assert_eq!(buffer.space(limit).len(), BUFFER_SIZE);
    }

    #[test]
    fn holds_little_while_it_waits() {
        let mut buffer = ReadBuffer::default();
        buffer.space(BUFFER_SIZE)[..5].copy_from_slice(b"hello");
        buffer.advance(5);
        buffer.consume(1);
        buffer.shrink();
        assert_eq!((buffer.filled(), buffer.bytes.len()), (&b"ello"[..], 4));
        let space = buffer.space(BUFFER_SIZE);
        assert_eq!(space.len(), BUFFER_SIZE - 4);
        space[0] = b'!';
        buffer.advance(1);
        assert_eq!(buffer.filled(), b"ello!");
        buffer.shrink();
        buffer.consume(5);
        assert!(buffer.bytes.is_empty());
        // What is not little stays where it is.
        buffer.space(BUFFER_SIZE);
        buffer.advance(FEW + 1);
        buffer.shrink();
        assert_eq!(buffer.bytes.len(), BUFFER_SIZE);
    }
}
