//! Promises that were once broken, each by one story, named after its guarantee.
//!
//! What random groups can show is in `tests/search` too; here is the shortest story of each, and
//! what no random group can show: processes that end, signals, and what grows.

mod cancel;
mod growth;
mod kit;
mod locks;
mod logger;
mod nested;
mod order;
mod panics;
mod signals;
mod sources;
mod stop_one;
mod story;
mod tokens;
mod watchdog;
