//! What clients have seen.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What clients have seen.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) gets: u64,
    pub(crate) posts: u64,
    /// How many connections there were.
    pub(crate) connections: u64,
    /// What failed, and how often: requests that had no whole answer with 200, and connects.
    pub(crate) failed: BTreeMap<String, u64>,
    /// The longest that a connect with its request, or a request, took.
    pub(crate) longest: Duration,
}

impl Tally {
    pub(crate) fn answered(&self) -> u64 {
        self.gets + self.posts
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed.values().sum()
    }

    pub(crate) fn add(&mut self, other: Tally) {
        self.gets += other.gets;
        self.posts += other.posts;
        self.connections += other.connections;
        for (what, count) in other.failed {
            *self.failed.entry(what).or_default() += count;
        }
        self.longest = self.longest.max(other.longest);
    }
}

/// One line: `1200 answered (700 GET, 500 POST, 40 connections), 2 failed (GET: status 502: 2), longest 31 ms`.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (answered, failed) = (self.answered(), self.failed());
        let (gets, posts, connections) = (self.gets, self.posts, self.connections);
        write!(
            f,
            "{answered} answered ({gets} GET, {posts} POST, {connections} connections), {failed} failed"
        )?;
        let mut between = " (";
        for (what, count) in &self.failed {
            write!(f, "{between}{what}: {count}")?;
            between = "; ";
        }
        if failed > 0 {
            f.write_str(")")?;
        }
        write!(f, ", longest {} ms", self.longest.as_millis())
    }
}
