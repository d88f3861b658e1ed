//! The registration of actions in the handler of a signal.

use std::io;
use std::os::raw::c_int;

use signal_hook::SigId;
use signal_hook::low_level;

/// Has `action` called in the handler of a signal, after those that were registered before.
///
/// # Errors
///
/// Returns the error of the operating system.
#[allow(unsafe_code)]
pub(super) fn register(
    number: c_int,
    action: impl Fn() + Send + Sync + 'static,
) -> io::Result<SigId> {
    // SAFETY: an action must be async-signal-safe. There are two, in `actions` and in `claim`.
    // They read the clock, which is clock_gettime(2), they read and write atomics, and they call
    // `emulate_default_handler`, which is documented as safe here: it calls sigaction(2), raise(3),
    // sigprocmask(2) and their like. All of these are listed in signal-safety(7). Neither action
    // allocates, locks or panics: their indices are numbers of a `Signal`, all within the tables.
    unsafe { low_level::register(number, action) }
}

/// Has a function called for each delivery of a signal that has had no handler yet, before all actions.
/// Returns false if it has a handler, or is none.
///
/// It becomes the handler itself, and what is registered later calls it first. An action that is
/// registered as the first of its signal is not called for a delivery amid that: the crate has put its
/// handler in place by then, but not yet the action.
#[allow(unsafe_code)]
pub(super) fn put_first(number: c_int, first: extern "C" fn(c_int)) -> bool {
    // SAFETY: `sigaction` is plain data, of which all zeros are a value. sigaction(2) reads one and
    // writes the other, both of which live until it returns. `first` has to be async-signal-safe, as an
    // action has: there is one, in `claim`.
    unsafe {
        let mut before: libc::sigaction = std::mem::zeroed();
        let is_read = libc::sigaction(number, std::ptr::null(), &raw mut before) == 0;
        if !is_read || !matches!(before.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN) {
            return false;
        }
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = first as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(number, &raw const action, std::ptr::null_mut()) == 0
    }
}
