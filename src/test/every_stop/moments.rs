//! The moments of a run, and what is done at one of them.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use crate::group::handle::Handle;
use crate::net::memory::wire::{Operation, Side};
use crate::sync::{Mutex, MutexGuard, lock};
use crate::time::clock::Clock;

/// What comes at one moment of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blow {
    /// The group is stopped, and drains.
    Stop,
    /// The group is stopped, and what runs is cancelled at once.
    Cancel,
}

/// What happens at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// An operation on the network is about to happen.
    Network(Side, Operation),
    /// A handler is about to be polled. The first poll of one is its call.
    Poll { is_call: bool },
    /// The blow has come.
    Blow,
    /// The server has been told to stop.
    Told,
}

/// The moments of a run so far. Clones are the same.
#[derive(Clone)]
pub(super) struct Moments(Arc<Shared>);

struct Shared {
    /// At which moment the blow comes, from 0; `None` if it does not.
    at: Option<usize>,
    blow: Blow,
    clock: Clock,
    handle: OnceLock<Handle<'static>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    past: Vec<Moment>,
    /// When the blow came, by the clock.
    struck: Option<Instant>,
}

impl Moments {
    pub(super) fn new(at: Option<usize>, blow: Blow, clock: &Clock) -> Moments {
        Moments(Arc::new(Shared {
            at,
            blow,
            clock: clock.clone(),
            handle: OnceLock::new(),
            state: Mutex::default(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }

    /// Begins: what happens from now on is a moment of the run.
    pub(super) fn begin(&self, handle: Handle<'static>) {
        let _ = self.0.handle.set(handle);
    }

    /// Notes a moment. If it is the one, the blow comes before what is about to happen.
    pub(super) fn pass(&self, moment: Moment) {
        let Some(handle) = self.0.handle.get() else {
            return;
        };
        let mut state = self.lock();
        let is_now = self.0.at == Some(state.past.len()) && state.struck.is_none();
        if is_now {
            state.past.push(Moment::Blow);
            state.struck = Some(self.0.clock.now());
        }
        state.past.push(moment);
        // A stop wakes tasks, and is felt at once: as one from another thread would be.
        drop(state);
        match self.0.blow {
            _ if !is_now => {}
            Blow::Stop => drop(handle.stop()),
            Blow::Cancel => handle.cancel(),
        }
    }

    /// Returns when the blow came; `None` if the run was over before.
    pub(super) fn struck(&self) -> Option<Instant> {
        self.lock().struck
    }

    /// Returns how many moments there were.
    pub(super) fn count(&self) -> usize {
        self.lock().past.len()
    }

    /// Returns how often a handler was called: in all, and after the server was told to stop.
    pub(super) fn calls(&self) -> (usize, usize) {
        let state = self.lock();
        let calls = |moments: &[Moment]| {
            let is_call = |moment: &&Moment| **moment == Moment::Poll { is_call: true };
            moments.iter().filter(is_call).count()
        };
        let told = state.past.iter().position(|moment| *moment == Moment::Told);
        let after = told.map_or(0, |told| calls(&state.past[told..]));
        (calls(&state.past), after)
    }
}

/// The moments around the blow, a line each.
impl fmt::Display for Moments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const BEFORE: usize = 12;
        const AFTER: usize = 24;
        let past = self.lock().past.clone();
        let blow = past.iter().position(|moment| *moment == Moment::Blow);
        let first = blow.unwrap_or(past.len()).saturating_sub(BEFORE);
        let shown = past.iter().enumerate().skip(first).take(BEFORE + AFTER);
        for (at, moment) in shown {
            writeln!(f, "{at:>6} {moment}")?;
        }
        let left = past.len().saturating_sub(first + BEFORE + AFTER);
        if left > 0 {
            writeln!(f, "       and {left} more")?;
        }
        Ok(())
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (side, operation) = match self {
            Moment::Network(side, operation) => (side, operation),
            Moment::Poll { is_call: true } => return f.write_str("a handler is called"),
            Moment::Poll { is_call: false } => return f.write_str("a handler is polled"),
            Moment::Blow => return f.write_str("THE STOP"),
            Moment::Told => return f.write_str("the server is told to stop"),
        };
        let side = match side {
            Side::Client => "the client",
            Side::Server => "the server",
        };
        let operation = match operation {
            Operation::Connect => "connects",
            Operation::Accept => "accepts",
            Operation::Read => "reads",
            Operation::Write => "writes",
            Operation::Shutdown => "shuts a direction down",
            Operation::Close => "closes",
            Operation::Refuse => "refuses new connections",
        };
        write!(f, "{side} {operation}")
    }
}
