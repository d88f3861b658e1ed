//! A network in memory: what a server is tested on without a port, a thread or a sleep.

mod flow;
pub(crate) mod link;
pub(crate) mod network;
pub(crate) mod port;
pub(crate) mod wire;
