//! What is done in the signal handler itself, and the giving back of signals.
//!
//! Once signal-hook has taken a signal over it never restores the default action. So, the first
//! time that a signal is listened for, an action is put in front of all others that acts as the
//! default would, unless a set wants the signal; and it stays there.

use std::os::raw::c_int;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use signal_hook::SigId;
use signal_hook::low_level::{emulate_default_handler, register, unregister};

use super::{Deliveries, Signal};
use crate::Error;

/// One more than the greatest number that a [`Signal`] has.
const SIGNALS: usize = 65;

/// How many sets want each signal.
static WANTED: [AtomicU32; SIGNALS] = [const { AtomicU32::new(0) }; SIGNALS];

/// Which signals have an action in front that acts as the default would.
static IN_FRONT: Mutex<[bool; SIGNALS]> = Mutex::new([false; SIGNALS]);

/// The actions of one set, in force until this is dropped.
pub(super) struct Actions {
    ids: Vec<SigId>,
    wish: Arc<Wish>,
}

impl Actions {
    /// Has deliveries counted; after `last` of them, the signals are given back.
    pub(super) fn new(
        signals: &[Signal],
        count: &Arc<Deliveries>,
        last: Option<u32>,
    ) -> Result<Actions, Error> {
        let numbers = signals.iter().map(|&signal| signal as c_int).collect();
        let wish = Arc::new(Wish {
            numbers,
            standing: AtomicBool::new(false),
        });
        // What is registered is unregistered by the drop of this, should a later one fail.
        let mut actions = Actions {
            ids: Vec::new(),
            wish,
        };
        for &signal in signals {
            act_as_default(signal as c_int).map_err(|error| Error::signal(signal, error))?;
            let (count, wish) = (Arc::clone(count), Arc::clone(&actions.wish));
            let note = move || {
                if count
                    .note()
                    .is_some_and(|count| last.is_some_and(|last| count >= last))
                {
                    wish.end();
                }
            };
            let id = act(signal as c_int, note).map_err(|error| Error::signal(signal, error))?;
            actions.ids.push(id);
        }
        Ok(actions)
    }

    /// Keeps the signals from their default action. To be called when all is in place.
    pub(super) fn want(&self) {
        self.wish.begin();
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        self.wish.end();
        for &id in &self.ids {
            unregister(id);
        }
    }
}

/// That a set wants its signals.
struct Wish {
    numbers: Vec<c_int>,
    standing: AtomicBool,
}

impl Wish {
    fn begin(&self) {
        self.standing.store(true, Ordering::SeqCst);
        for &number in &self.numbers {
            WANTED[number as usize].fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Ends it, once. Also called in a signal handler: it touches atomics, and nothing else.
    fn end(&self) {
        if self.standing.swap(false, Ordering::SeqCst) {
            for &number in &self.numbers {
                WANTED[number as usize].fetch_sub(1, Ordering::SeqCst);
            }
        }
    }
}

/// Puts an action in front that acts as the default would, unless somebody wants the signal.
fn act_as_default(number: c_int) -> std::io::Result<()> {
    let mut in_front = IN_FRONT.lock().unwrap_or_else(PoisonError::into_inner);
    if !in_front[number as usize] {
        act(number, move || {
            if WANTED[number as usize].load(Ordering::SeqCst) == 0 {
                // It only fails for signals whose default it does not know.
                let _ = emulate_default_handler(number);
            }
        })?;
        in_front[number as usize] = true;
    }
    Ok(())
}

/// Has `action` called in the handler of a signal, after those that were there before.
#[allow(unsafe_code)]
fn act(number: c_int, action: impl Fn() + Send + Sync + 'static) -> Result<SigId, std::io::Error> {
    // SAFETY: an action must be async-signal-safe. The two in this module read the clock, which is
    // clock_gettime(2), and atomics, and write atomics; `emulate_default_handler` is documented to
    // be so, being made of the likes of sigaction(2), raise(3) and sigprocmask(2). All of these
    // are listed in signal-safety(7). Neither allocates, locks, nor panics: the numbers are those
    // of a `Signal`, all within the tables.
    unsafe { register(number, action) }
}
