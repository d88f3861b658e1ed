//! The services of a group while they run: what they share, and what is done with them.
//!
//! [`Core`](core::Core) is what services, handles and the supervisor share, a part for each thing
//! it keeps. A [`Member`](core::Member) is the record of a service with the waker of its task. What
//! happens to it, and what follows from that, is in `start`, `stop` and `end`; what the
//! [plan](crate::plan) decides is carried out in `steps`.
//! [`ServiceTask`](service_task::ServiceTask) and [`ChildTask`](child_task::ChildTask) are the
//! futures that the executor runs.

mod abandoned;
pub(crate) mod child_output;
pub(crate) mod child_task;
pub(crate) mod core;
pub(crate) mod counts;
mod departures;
mod emit;
mod end;
pub(crate) mod ending;
pub(crate) mod event;
pub(crate) mod failures;
pub(crate) mod families;
pub(crate) mod forces;
mod index_set;
pub(crate) mod log;
mod member;
mod moved;
pub(crate) mod narrator;
pub(crate) mod notices;
pub(crate) mod observers;
pub(crate) mod progress;
pub(crate) mod readiness;
pub(crate) mod recorder;
pub(crate) mod registry;
pub(crate) mod service_task;
mod start;
pub(crate) mod steps;
mod stop;
pub(crate) mod timeouts;
mod unready;
pub(crate) mod waiting;
pub(crate) mod waits;

#[cfg(all(test, neap_loom))]
mod model;
