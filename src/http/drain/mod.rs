//! What a server must know to drain: its own state, the connections it has, and what became of them.

mod lifecycle;
mod quiet;
mod registry;
mod report;
mod tally;

pub(super) use self::lifecycle::{ServerLifecycle, TurnNumber};
pub(super) use self::quiet::Noted;
pub(super) use self::registry::{Registry, Sockets};
pub use self::report::Report;
pub use self::tally::Tally;
