//! Lines on standard error, for those who have set up no logger.

use std::fmt::Display;
use std::io::{self, Write};

use crate::sync::{AtomicBool, AtomicU8, Ordering};

/// Whether a group tells standard error what happens. It is set before the group runs.
pub(crate) struct Narrator {
    /// Silent, or the number of a [`Role`].
    role: AtomicU8,

    /// True once a record has said where the services were added that are waited for.
    has_told_places: AtomicBool,
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
            has_told_places: AtomicBool::new(false),
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

    /// Returns true if a warning may be heard, printed or logged. A quick look: the logger, which is the
    /// user's, is not asked.
    pub(crate) fn may_warn(&self) -> bool {
        #[cfg(feature = "log")]
        let is_logged = log::max_level() >= log::LevelFilter::Warn;
        #[cfg(not(feature = "log"))]
        let is_logged = false;
        is_logged || self.tells(Role::Within)
    }

    /// Notes that a record has said where the services were added.
    pub(super) fn note_places(&self) {
        self.has_told_places.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_told_places(&self) -> bool {
        self.has_told_places.load(Ordering::Relaxed)
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
