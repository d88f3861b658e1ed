//! The stop: a broadcast with one cause, where the first cause wins.
//!
//! A [`StopSource`](source::StopSource) is the side that stops, a [`StopToken`](token::StopToken)
//! the side that is told. Both are one pointer to a latch, cheap to clone, and
//! free of any runtime.

pub(crate) mod cause;
pub(crate) mod force;
pub(crate) mod guard;
pub(crate) mod latch;
pub(crate) mod run_until;
pub(crate) mod source;
pub(crate) mod token;
pub(crate) mod until;

#[cfg(all(test, neap_loom))]
mod model;
