//! Where the tasks of a group run: in place, polled by the task that awaits the group, or on an
//! executor that the user gave.
//!
//! In place there is no executor underneath. The record of a service *is* its waker, and waking it
//! puts its key into a queue that the awaiting task empties. The queue and the arrivals are lists
//! under locks: lock-free ones take a kilobyte each. A general executor would add an allocation
//! for a task header and one for a listener to each service, and a lock and a slab entry for their
//! bookkeeping, which is more than all that the group itself needs.
//!
//! Whether the tasks may go to other threads is a [`TaskKind`](kind::TaskKind), which chooses the
//! trait objects; all else is the same code for both.
//!
//! This module knows no group. What it needs of one is in [`Host`](host::Host).

pub(crate) mod counted;
pub(crate) mod driver;
pub(crate) mod host;
mod in_place;
pub(crate) mod job;
mod kept;
pub(crate) mod kind;
pub(crate) mod node;
pub(crate) mod panic;
mod ready_queue;
pub(crate) mod scheduler;
mod slot;
pub(crate) mod spawned;
pub(crate) mod spawner;
pub(crate) mod spawners;
pub(crate) mod task;

#[cfg(all(test, neap_loom))]
mod model;
