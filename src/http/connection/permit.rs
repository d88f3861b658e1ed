//! The permit of a request to be in flight: there are only so many.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::http::context::ServerContext;

/// The permit of a request to be in flight, given back by its drop. Without a limit none is counted.
pub(super) struct Permit(Option<Arc<ServerContext>>);

impl Permit {
    /// Takes a permit; `None` if there are as many requests in flight as there may be.
    #[inline(always)]
    pub(super) fn take(context: &Arc<ServerContext>) -> Option<Self> {
        match context.settings.max_in_flight {
            usize::MAX => Some(Self(None)),
            limit => Self::take_of(context, limit),
        }
    }

    fn take_of(context: &Arc<ServerContext>, limit: usize) -> Option<Self> {
        let count = &context.in_flight;
        let add = |count| (count < limit).then(|| count + 1);
        let taken = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        match taken {
            Ok(_) => Some(Self(Some(Arc::clone(context)))),
            Err(_) => {
                let now = context.time.now();
                context
                    .full
                    .note(now, |refused| context.say_turned_away(refused));
                None
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(context) = &self.0 {
            context.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
