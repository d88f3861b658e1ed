//! A set of indices of services.

use std::collections::BTreeMap;

/// How many indices one word has a bit for.
const BITS: usize = u64::BITS as usize;

/// A set of indices of services, a bit for each: indices are handed out in order, so that those of many
/// services are close together.
#[derive(Debug, Default)]
pub(crate) struct IndexSet {
    words: BTreeMap<usize, u64>,
}

impl IndexSet {
    pub(super) fn insert(&mut self, index: usize) {
        *self.words.entry(index / BITS).or_default() |= 1 << (index % BITS);
    }

    pub(super) fn contains(&self, index: usize) -> bool {
        let word = self.words.get(&(index / BITS));
        word.is_some_and(|word| word & 1 << (index % BITS) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_what_was_put_in_and_nothing_else() {
        let (mut set, indices) = (IndexSet::default(), [0, 1, 63, 64, 1000, usize::MAX]);
        for index in indices {
            assert!(!set.contains(index));
            set.insert(index);
            set.insert(index);
        }
        for index in (0..2000).chain([usize::MAX, usize::MAX - 1]) {
            assert_eq!(set.contains(index), indices.contains(&index), "{index}");
        }
    }
}
