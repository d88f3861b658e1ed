//! The address of a server, and its listeners once it is bound.

use std::fmt;
use std::io;

use super::address::Address;
use super::endpoint::Endpoint;
use super::listeners::Listeners;
use crate::group::scope::Scope;
use crate::members::log;

/// What a server listens on. It can be bound before the server runs.
pub(crate) enum Binding {
    /// Not bound yet.
    Address(Address),
    /// Bound, with the endpoint of each listener.
    Listeners(Listeners, Vec<Endpoint>),
}

impl Binding {
    pub(crate) fn new(address: impl Into<Address>) -> Self {
        Self::Address(address.into())
    }

    /// Binds the address, unless that has been done.
    ///
    /// # Errors
    ///
    /// Returns an error that names the address, if it cannot be bound.
    pub(crate) fn bind(self, backlog: u32) -> io::Result<Self> {
        match self {
            Self::Address(address) => {
                let listeners = address.bind_with(backlog)?;
                let endpoints = listeners.local_addrs();
                Ok(Self::Listeners(listeners, endpoints))
            }
            bound @ Self::Listeners(..) => Ok(bound),
        }
    }

    /// Returns where connections arrive; nothing before it is bound.
    pub(crate) fn local_addrs(&self) -> &[Endpoint] {
        match self {
            Self::Address(_) => &[],
            Self::Listeners(_, endpoints) => endpoints,
        }
    }

    /// Binds the address, unless that has been done, for the service of this scope.
    ///
    /// # Errors
    ///
    /// Returns an error that names the address, if it cannot be bound.
    pub(crate) fn listen(self, backlog: u32, scope: &Scope<'_>) -> io::Result<Listeners> {
        let mut listeners = match self {
            Self::Address(address) => address.bind_with(backlog)?,
            Self::Listeners(listeners, _) => listeners,
        };
        listeners.go_by(scope.time_source());
        // With port 0 this is where one learns the port.
        for address in listeners.local_addrs() {
            log::listening(scope.member(), &address);
        }
        Ok(listeners)
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Listeners(listeners, _) => listeners.fmt(f),
        }
    }
}
