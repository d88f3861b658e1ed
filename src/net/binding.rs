//! Where a server listens, before and after it is bound.

use std::fmt;
use std::io;

use super::{Addr, Address, Listeners};

/// The address of a server, which can be bound before the server runs.
pub(crate) struct Binding {
    address: Address,
    /// Where `address` is bound, if it is.
    local: Vec<Addr>,
}

impl Binding {
    pub(crate) fn new(address: impl Into<Address>) -> Self {
        Self {
            address: address.into(),
            local: Vec::new(),
        }
    }

    /// Binds now, so that `local_addrs` is known.
    ///
    /// # Errors
    ///
    /// An address that cannot be bound, named in the message.
    pub(crate) fn bind(self, backlog: u32) -> io::Result<Self> {
        let listeners = self.address.bind_with(backlog)?;
        Ok(Self {
            local: listeners.local_addrs(),
            address: listeners.into(),
        })
    }

    /// Where connections arrive; empty while it is not bound.
    pub(crate) fn local_addrs(&self) -> &[Addr] {
        &self.local
    }

    /// The listeners, bound now if they were not, of a server called `name`.
    ///
    /// # Errors
    ///
    /// As for `bind`.
    pub(crate) fn listen(self, backlog: u32, name: &str) -> io::Result<Listeners> {
        let listeners = self.address.bind_with(backlog)?;
        // With port 0 nobody else could tell.
        for address in listeners.local_addrs() {
            log::info!("`{name}` listens on {address}");
        }
        Ok(listeners)
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}
