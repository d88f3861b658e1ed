//! The guide: how to do with neap what is known from elsewhere, a page for each.

#[doc = include_str!("guide/errgroup.md")]
pub mod errgroup {}

#[doc = include_str!("guide/tokio.md")]
pub mod tokio {}

#[doc = include_str!("guide/ordering.md")]
pub mod ordering {}

#[doc = include_str!("guide/restarts.md")]
pub mod restarts {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}
