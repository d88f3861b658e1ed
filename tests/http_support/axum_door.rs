//! The door of the tests that serve axum's apps.

pub(crate) use super::axum_app::{app, reading};

/// The status of the answer to a method that is none of HTTP's, and whether that closes.
pub(crate) const OTHER_METHOD: (u16, bool) = (200, false);
