//! A socket that a service manager has bound, by its name.

use std::fmt;
use std::io;

use super::listener::Listener;

/// The sockets of one name that were passed to this process.
#[derive(Debug)]
pub(super) struct Passed(pub(super) String);

#[cfg(all(unix, feature = "systemd"))]
impl Passed {
    /// Returns true if no socket at all was passed to this process.
    pub(super) fn is_none_at_all() -> bool {
        crate::systemd::sockets::is_none()
    }

    /// Adopts the sockets.
    ///
    /// # Errors
    ///
    /// There is none of the name, another server has it, or nothing can be accepted from it.
    pub(super) fn adopt(&self) -> io::Result<Vec<Listener>> {
        let taken = crate::systemd::sockets::named(&self.0)?;
        taken.into_iter().map(Listener::passed).collect()
    }
}

#[cfg(not(all(unix, feature = "systemd")))]
impl Passed {
    /// Returns true: no socket can be passed here.
    pub(super) fn is_none_at_all() -> bool {
        true
    }

    /// Fails: no socket can be passed here.
    pub(super) fn adopt(&self) -> io::Result<Vec<Listener>> {
        let error = match cfg!(unix) {
            true => "the feature `systemd` of neap is off",
            false => "there is no socket activation here",
        };
        Err(io::Error::new(io::ErrorKind::Unsupported, error))
    }
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "systemd:{}", self.0)
    }
}
