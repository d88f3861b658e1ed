//! The access log: a record of each request, written by a thread of its own.
//!
//! `record` is one request and its answer, `access_log` what can be set. The connections put records into
//! the `queue`, and its thread hands them to the logger.

mod access_log;
mod queue;
mod record;

pub use self::access_log::AccessLog;
pub(super) use self::queue::AccessQueue;
pub use self::record::Access;
pub(super) use self::record::Described;
