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
