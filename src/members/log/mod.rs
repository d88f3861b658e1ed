//! What a group says about its services.
//!
//! If the feature `log` is on, as records of the `log` crate. Their target is `neap`. Each has a key
//! `event`, and `service` where it is about one. A change of these or of the wording has a line in
//! the changelog. If the group [narrates](crate::Group::narrate), what no logger takes is printed
//! on standard error, but for the start and the end of each service. Times are counted from the
//! start of the group, those of a drain from when the service was told to stop.

/// Hands a record to the logger, which is the user's: a panic of it ends here. True if the logger
/// takes records of this level.
macro_rules! record {
    ($level:ident, $text:expr, $($keys:tt)+) => {{
        #[cfg(feature = "log")]
        let is_taken = catch(|| {
            let is_taken = log_enabled!(target: "neap", Level::$level);
            if is_taken {
                log!(target: "neap", Level::$level, $($keys)+; "{}", $text);
            }
            is_taken
        })
        .unwrap_or(true);
        #[cfg(not(feature = "log"))]
        let is_taken = {
            // The text is used, and not made.
            let _ = || _ = &$text;
            false
        };
        is_taken
    }};
}

/// Does as [`record!`], and prints the text if no logger takes it and the group tells such. True if
/// either was done.
macro_rules! tell {
    ($core:expr, $role:expr, $level:ident, $text:expr, $($keys:tt)+) => {{
        if record!($level, $text, $($keys)+) {
            true
        } else if $core.narrator.tells($role) {
            let _ = catch(|| print(&$text));
            true
        } else {
            false
        }
    }};
}

mod drain;
mod heard;
mod service;

pub(crate) use self::drain::{
    abandoned, abandoned_one, cancelling, cancelling_one, draining, outcome, stopping,
    stopping_already,
};
#[cfg(feature = "net")]
pub(crate) use self::service::listening;
#[cfg(all(unix, feature = "systemd"))]
pub(crate) use self::service::not_notified;
pub(crate) use self::service::{
    ended, failed, ready, ready_late, restarting, source_panicked, started, still_starting,
};
