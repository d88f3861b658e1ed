//! The guide: how to do with neap what other libraries do, and how to run it, a page for each.

#[doc = include_str!("errgroup.md")]
pub mod errgroup {}

#[doc = include_str!("tokio.md")]
pub mod tokio {}

#[cfg(feature = "http")]
#[doc = include_str!("graceful.md")]
pub mod graceful {}

#[doc = include_str!("swift.md")]
pub mod swift {}

#[doc = include_str!("tokens.md")]
pub mod tokens {}

#[doc = include_str!("ordering.md")]
pub mod ordering {}

#[doc = include_str!("restarts.md")]
pub mod restarts {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[cfg(all(feature = "http", feature = "signal", feature = "tls"))]
#[doc = include_str!("tls.md")]
pub mod tls {}

#[cfg(feature = "tide")]
#[doc = include_str!("axum.md")]
pub mod axum {}

#[cfg(feature = "http")]
#[doc = include_str!("overload.md")]
pub mod overload {}

#[cfg(feature = "http")]
#[doc = include_str!("observing.md")]
pub mod observing {}

#[cfg(feature = "http")]
#[doc = include_str!("streams.md")]
pub mod streams {}

#[doc = include_str!("systemd.md")]
pub mod systemd {}

#[cfg(feature = "http")]
#[doc = include_str!("balancers.md")]
pub mod balancers {}

#[cfg(feature = "http")]
#[doc = include_str!("kubernetes.md")]
pub mod kubernetes {}

#[cfg(feature = "http")]
#[doc = include_str!("service.md")]
pub mod service {}
