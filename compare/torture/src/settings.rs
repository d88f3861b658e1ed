//! What is tried, and how much of it.

use std::time::Duration;

/// What is tried, and how much of it.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) length: Duration,
    pub(crate) stops: Option<usize>,
    pub(crate) seed: u64,
    pub(crate) jobs: usize,
    pub(crate) kinds: Vec<String>,
    pub(crate) without: Vec<String>,
    pub(crate) doors: Vec<String>,
    pub(crate) runtimes: Vec<String>,
    pub(crate) requests: usize,
    pub(crate) connections: usize,
    pub(crate) peers: Vec<(String, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            length: Duration::from_secs(60),
            stops: None,
            seed: fastrand::u64(..1_000_000_000),
            jobs: 4,
            kinds: Vec::new(),
            without: Vec::new(),
            doors: Vec::new(),
            runtimes: Vec::new(),
            requests: 1_000_000,
            connections: 10_000,
            peers: Vec::new(),
        }
    }
}
