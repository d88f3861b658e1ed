//! The guide: how to do with neap what other libraries do, a page for each.

#[doc = include_str!("errgroup.md")]
pub mod errgroup {}

#[doc = include_str!("tokio.md")]
pub mod tokio {}

#[doc = include_str!("ordering.md")]
pub mod ordering {}

#[doc = include_str!("restarts.md")]
pub mod restarts {}

#[doc = include_str!("testing.md")]
pub mod testing {}
