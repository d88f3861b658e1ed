//! Where a server is tried.

use crate::group::handle::Handle;
use crate::net::address::Address;
use crate::time::clock::Clock;

/// Where a server is tried: what it, and its app, are made with.
#[derive(Debug)]
#[non_exhaustive]
pub struct Site {
    /// Where the server is to listen.
    pub address: Address,
    /// The clock that the app is to wait by.
    pub clock: Clock,
    /// The handle of the group, for an app that has services of its own.
    pub handle: Handle<'static>,
}
