//! Bytes that were read and are not used yet.

use super::pool::{BUFFER_SIZE, Pool};

thread_local! {
    /// Buffers of [`BUFFER_SIZE`] bytes, all initialised.
    static POOL: Pool = const { Pool::new() };
}

/// Bytes that were read and are not used yet.
///
/// An empty buffer holds no memory, so an idle connection costs none. A busy one takes the memory
/// that the last request on its thread has given back.
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
        if self.bytes.is_empty() {
            self.bytes = Pool::take(&POOL).unwrap_or_else(|| vec![0; BUFFER_SIZE]);
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
}
