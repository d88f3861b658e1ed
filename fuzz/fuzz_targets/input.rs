//! Choices that are made by the bytes of an input.

#![allow(dead_code)]

/// The bytes of an input that made no choice yet.
///
/// A byte stands for its distance from `0`, so that seeds can be written as text. Where there is no byte
/// left, the choice is the first.
pub struct Input<'b>(pub &'b [u8]);

impl<'b> Input<'b> {
    /// Chooses a number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(first.wrapping_sub(b'0')) % limit
    }

    /// Chooses one of these.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// Chooses true or false.
    pub fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    /// Takes n bytes as they are, or as many as there are.
    pub fn take(&mut self, bytes: usize) -> &'b [u8] {
        let (taken, rest) = self.0.split_at(bytes.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}
