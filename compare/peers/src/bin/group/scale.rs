//! How much is measured.

/// The sizes of the groups, the number of rounds, and how large a sample is.
pub struct Scale {
    /// The numbers of services in a group.
    pub services: Vec<usize>,

    pub rounds: usize,

    /// How many services the groups of one sample have together, at least.
    sample: usize,

    /// How many groups a sample has, at most.
    groups: usize,
}

impl Scale {
    pub fn full() -> Scale {
        Scale {
            services: vec![1, 1_000, 100_000, 1_000_000],
            rounds: 5,
            sample: 20_000,
            groups: 2_000,
        }
    }

    /// As little as proves that every peer starts and joins its services.
    pub fn quick() -> Scale {
        Scale {
            services: vec![1, 1_000, 20_000],
            rounds: 2,
            sample: 2_000,
            groups: 200,
        }
    }

    /// Returns how many groups of this size a sample has, beside the one to warm up.
    pub fn groups(&self, services: usize) -> usize {
        (self.sample / services.max(1)).clamp(1, self.groups)
    }
}
