//! One service, as data: what it returns, how it ended, what is set for it, and how far it is.
//!
//! Nothing in here wakes, logs or knows the group. [`Lifecycle`](lifecycle::Lifecycle) is the
//! machine of its phases: a pure function from a state and an event to the next state.

pub(crate) mod chain;
pub(crate) mod children;
pub(crate) mod exit;
pub(crate) mod gave_up;
pub(crate) mod id;
pub(crate) mod lifecycle;
pub(crate) mod options;
pub(crate) mod poll;
pub(crate) mod record;
pub(crate) mod result;
pub(crate) mod state;

#[cfg(all(test, neap_loom))]
mod model;
