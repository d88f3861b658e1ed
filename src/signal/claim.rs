//! The claim of a set on its signals, and their default action while there is no claim.
//!
//! signal-hook never restores the default action of a signal it has once registered. So, the first
//! time that a signal is listened for, [`prepare`] puts a handler in place before all else. It does
//! what the default would do unless there is a claim, and it is never taken out. So no delivery is lost
//! while the set is made: it acts by its default, or is counted.

use std::io;
use std::os::raw::c_int;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use signal_hook::low_level::emulate_default_handler;

use super::handler;

/// One more than the highest number of a [`Signal`](super::Signal).
const SIGNALS: usize = 65;

/// The number of claims on each signal.
static CLAIMS: [AtomicU32; SIGNALS] = [const { AtomicU32::new(0) }; SIGNALS];

/// True for each signal whose default action is emulated while there is no claim on it.
static PREPARED: Mutex<[bool; SIGNALS]> = Mutex::new([false; SIGNALS]);

/// The claim of one set on its signals. It begins and ends at most once.
pub(super) struct Claim {
    numbers: Vec<c_int>,
    /// True between the begin and the end.
    is_active: AtomicBool,
}

impl Claim {
    /// Makes a claim that has not begun.
    pub(super) fn new(numbers: Vec<c_int>) -> Claim {
        Claim {
            numbers,
            is_active: AtomicBool::new(false),
        }
    }

    /// Keeps the signals from their default action.
    pub(super) fn begin(&self) {
        self.is_active.store(true, Ordering::SeqCst);
        for &number in &self.numbers {
            CLAIMS[number as usize].fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Lets the signals act by their default again, unless there is another claim.
    ///
    /// It is also called in a signal handler, so it touches only atomics.
    pub(super) fn end(&self) {
        if self.is_active.swap(false, Ordering::SeqCst) {
            for &number in &self.numbers {
                CLAIMS[number as usize].fetch_sub(1, Ordering::SeqCst);
            }
        }
    }
}

/// Has a signal act by its default whenever there is no claim on it.
///
/// # Errors
///
/// Returns the error of the registration. Or there was a handler of signal-hook's before, and the program
/// has put the default action in its place: signal-hook would never put it back.
pub(super) fn prepare(number: c_int) -> io::Result<()> {
    let mut prepared = PREPARED.lock().unwrap_or_else(PoisonError::into_inner);
    if !prepared[number as usize] {
        let is_first = handler::put_first(number, act_by_default);
        handler::register(number, move || act_by_default(number))?;
        if is_first && handler::take_out(number, act_by_default) {
            let error = "its handler was replaced, behind signal-hook, by the default action";
            return Err(io::Error::other(error));
        }
        prepared[number as usize] = true;
    }
    Ok(())
}

/// Has a signal act by its default, unless there is a claim on it.
extern "C" fn act_by_default(number: c_int) {
    if CLAIMS[number as usize].load(Ordering::SeqCst) == 0 {
        // This fails only for signals whose default it does not know.
        let _ = emulate_default_handler(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(unsafe_code)]
    fn g13_a_handler_that_was_replaced_behind_signal_hook_is_an_error() {
        let id = handler::register(libc::SIGTTIN, || {}).unwrap();
        signal_hook::low_level::unregister(id);
        // SAFETY: signal(2) with the default action has no other condition.
        unsafe { libc::signal(libc::SIGTTIN, libc::SIG_DFL) };
        let error = prepare(libc::SIGTTIN).unwrap_err().to_string();
        assert!(error.contains("signal-hook"), "{error}");
        prepare(libc::SIGTTOU).unwrap();
    }
}
