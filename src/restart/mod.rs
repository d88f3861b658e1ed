//! Restart, as a wrapper of a service: supervision is composed, not configured.
//!
//! A [`Restart`](policy::Restart) says when a service is run again, [`supervise`] does it, and
//! [`GaveUp`](crate::GaveUp) is the error once it may not be.

pub(crate) mod local;
pub(crate) mod policy;
pub(crate) mod supervise;
