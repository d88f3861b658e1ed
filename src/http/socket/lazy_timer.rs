//! A timer for deadlines that move often and rarely pass.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_io::Timer;
use futures_lite::ready;

/// A timer for a deadline that is mostly put off before it passes.
///
/// Putting it off costs nothing: the reactor's timer is set again only when it fires too early, or
/// for a deadline that is nearer. So a kept-alive connection registers one timer in 75 s, not one
/// for each request.
#[derive(Debug, Default)]
pub(in crate::http) struct LazyTimer {
    timer: Option<Timer>,
    /// When `timer` fires; `None` if it is not set.
    fires_at: Option<Instant>,
}

impl LazyTimer {
    /// Returns ready once `deadline` has passed.
    pub(in crate::http) fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        loop {
            let timer = self.timer.get_or_insert_with(|| Timer::at(deadline));
            match self.fires_at {
                Some(fires_at) if fires_at <= deadline => {}
                _ => {
                    timer.set_at(deadline);
                    self.fires_at = Some(deadline);
                }
            }
            let now = ready!(Pin::new(timer).poll(cx));
            self.fires_at = None;
            if now >= deadline {
                return Poll::Ready(());
            }
        }
    }
}

/// Returns the deadline of a timeout that begins at `start`.
///
/// `Duration::MAX` means "no timeout", and the addition would overflow: such a deadline is a hundred
/// years away.
pub(in crate::http) fn deadline_from(start: Instant, timeout: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    start.checked_add(timeout.min(NEVER)).unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[test]
    fn no_timeout_is_a_long_one() {
        let now = Instant::now();
        assert!(deadline_from(now, Duration::MAX) > now + Duration::from_secs(3600));
    }

    #[test]
    fn fires_for_the_last_deadline_asked_for() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut timer = LazyTimer::default();
        futures_lite::future::block_on(async {
            for deadline in [at(10_000), at(20), at(60)] {
                let pending =
                    poll_fn(|cx| Poll::Ready(timer.poll(cx, deadline).is_pending())).await;
                assert!(pending);
            }
            poll_fn(|cx| timer.poll(cx, at(60))).await;
        });
        assert!(start.elapsed() >= Duration::from_millis(60));
    }
}
