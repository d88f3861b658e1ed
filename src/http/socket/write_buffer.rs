//! Bytes that are about to be written.

use std::ops::{Deref, DerefMut};

use super::pool::{BUFFER_SIZE, Pool};

thread_local! {
    /// Empty buffers with some capacity.
    static POOL: Pool = const { Pool::new() };
}

/// Bytes that are about to be written, in memory that goes back to the thread's pool. An empty one has
/// none.
#[derive(Debug, Default)]
pub(in crate::http) struct WriteBuffer(Vec<u8>);

impl WriteBuffer {
    /// Drops the bytes and gives the memory back.
    pub(in crate::http) fn release(&mut self) {
        let mut bytes = std::mem::take(&mut self.0);
        // Memory that one large response has needed is not kept.
        if (1..=2 * BUFFER_SIZE).contains(&bytes.capacity()) {
            bytes.clear();
            Pool::keep(&POOL, bytes);
        }
    }

    /// Takes memory from the pool, if this has none.
    pub(in crate::http) fn reserve(&mut self) {
        if self.0.capacity() == 0 {
            self.0 = Pool::take(&POOL).unwrap_or_default();
        }
    }
}

impl Deref for WriteBuffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for WriteBuffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Drop for WriteBuffer {
    fn drop(&mut self) {
        self.release();
    }
}
