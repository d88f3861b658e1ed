//! Brings the services of a program up together and takes them down gently.

// In the library alone: a test may panic, and an example be brief.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod adapt;
mod cause;
mod deadlines;
mod error;
mod executor;
mod exit;
mod group;
mod guard;
pub mod guide;
mod handle;
#[cfg(feature = "tide")]
pub mod http;
mod hub;
mod journal;
mod latch;
mod lifecycle;
mod member;
mod nested;
#[cfg(feature = "net")]
pub mod net;
mod options;
mod outcome;
mod plan;
mod restart;
mod roster;
mod scope;
mod service;
#[cfg(feature = "signal")]
pub mod signal;
mod status;
mod stop;
mod supervisor;
pub mod test;
mod watchdog;

pub use adapt::{Interrupted, Until, UntilExt};
pub use cause::Cause;
pub use error::Error;
pub use executor::Task;
pub use exit::{BoxError, Exit};
pub use group::{Group, Run};
pub use guard::Guard;
pub use handle::{Handle, Refused};
pub use nested::Nested;
pub use options::{Added, Options, ServiceId};
pub use outcome::{Outcome, Report};
pub use restart::{GaveUp, Restart, Restarting, restart};
pub use scope::{Scope, ScopeStopped};
pub use service::{OnExit, ServiceResult};
pub use status::{ServiceStatus, State, Status};
pub use stop::{StopSource, StopToken, Stopped};
pub use watchdog::STUCK;
