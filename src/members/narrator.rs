//! Lines on standard error, for those who have set up no logger.

use std::fmt::Display;
use std::io::{self, Write};

use crate::sync::{AtomicU8, Ordering};

/// Whether a group tells standard error what happens. It is set before the group runs.
pub(crate) struct Narrator {
    /// Silent, or the number of a [`Role`].
    role: AtomicU8,
}

/// What a group tells standard error.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Role {
    /// It is nested in one that tells the rest: what that one cannot know.
    Within = 1,

    /// Everything.
    Group = 2,
}

impl Narrator {
    /// Makes one that is silent.
    pub(crate) fn new() -> Narrator {
        Narrator {
            role: AtomicU8::new(0),
        }
    }

    /// Has the group tell everything.
    pub(crate) fn turn_on(&self) {
        self.set(Role::Group);
    }

    /// Has a group that is nested in another one tell what that one cannot, if that one narrates.
    pub(crate) fn inherit(&self, outer: &Narrator) {
        if outer.tells(Role::Within) && !self.tells(Role::Within) {
            self.set(Role::Within);
        }
    }

    fn set(&self, role: Role) {
        self.role.store(role as u8, Ordering::Relaxed);
    }

    /// Returns true if what a group in this role tells is to be told.
    pub(crate) fn tells(&self, role: Role) -> bool {
        self.role.load(Ordering::Relaxed) >= role as u8
    }
}

/// Prints one line. Unlike `eprintln!`, this does not panic if standard error is closed.
pub(super) fn print(line: &dyn Display) {
    // In one call, so that lines of two threads do not mix.
    let _ = io::stderr().write_all(format!("neap: {line}\n").as_bytes());
}
