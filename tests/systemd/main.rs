//! What systemd is told, and the sockets that it passes. The environment belongs to a process, so each
//! scenario is a process of its own.
//!
//! `.ci/systemd` does the same with systemd itself.

#![cfg(all(unix, feature = "systemd", feature = "signal"))]

#[path = "../support/mod.rs"]
mod support;

mod children;
mod manager;
mod notify;
mod reload;
#[cfg(feature = "net")]
mod sockets;
mod watchdog;
