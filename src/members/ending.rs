//! The end of a group, for those that outlive it.

use crate::stop::cause::Cause;
use crate::stop::source::StopSource;
use crate::stop::token::StopToken;
use crate::sync::{AtomicBool, OnceLock, Ordering, fence};

/// Whether a group has ended: its future has returned, or was dropped.
pub(crate) struct Ending {
    has_ended: AtomicBool,

    /// Stopped at the end. Made when it is first asked for.
    source: OnceLock<StopSource>,
}

impl Ending {
    pub(crate) fn new() -> Ending {
        Ending {
            has_ended: AtomicBool::new(false),
            source: OnceLock::new(),
        }
    }

    /// Notes that the group has ended.
    pub(crate) fn end(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
        // Here the flag is set and then the source looked for, in `token` the other way round. Of
        // two fences one is the second, and what comes after it finds both.
        fence(Ordering::SeqCst);
        if let Some(source) = self.source.get() {
            source.stop(Cause::Ended);
        }
    }

    /// Returns true once the group has ended.
    ///
    /// Of one that notes the end and then looks for services, and one that counts the last service
    /// out and then asks this, one sees the other's: there is a fence between the two in both.
    pub(crate) fn has_ended(&self) -> bool {
        fence(Ordering::SeqCst);
        self.has_ended.load(Ordering::Relaxed)
    }

    /// Returns a token that is stopped once the group has ended.
    pub(crate) fn token(&self) -> StopToken {
        let source = self.source.get_or_init(StopSource::new);
        if self.has_ended() {
            source.stop(Cause::Ended);
        }
        source.token()
    }
}
