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

/// Puts a handler in place of the default action of a signal, or of its being ignored. What is
/// [registered](register) later calls it first. Returns false if the signal has another handler.
///
/// An action that is registered as the first of its signal is not called for a delivery amid that: the
/// crate has put its handler in place by then, but not yet the action.
#[allow(unsafe_code)]
pub(super) fn put_first(number: c_int, first: extern "C" fn(c_int)) -> bool {
    // SAFETY: `sigaction` is plain data, of which all zeros are a value. sigaction(2) reads one and
    // writes the other, both of which live until it returns. `first` has to be async-signal-safe, as an
    // action has: there is one, in `claim`.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = first as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        let mut before: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(number, &raw const action, &raw mut before) != 0 {
            return false;
        }
        let had_none = matches!(before.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN);
        if !had_none {
            libc::sigaction(number, &raw const before, std::ptr::null_mut());
        }
        had_none
    }
}

/// Has a signal act by its default, if this is its only handler still. Returns whether that was so.
#[allow(unsafe_code)]
pub(super) fn take_out(number: c_int, first: extern "C" fn(c_int)) -> bool {
    // SAFETY: as above.
    unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        let is_read = libc::sigaction(number, std::ptr::null(), &raw mut now) == 0;
        let is_alone = is_read && now.sa_sigaction == first as *const () as usize;
        if is_alone {
            let mut default: libc::sigaction = std::mem::zeroed();
            default.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(number, &raw const default, std::ptr::null_mut());
        }
        is_alone
    }
}
