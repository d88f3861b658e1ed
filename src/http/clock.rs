//! Deadlines that move often and pass seldom.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_io::Timer;
use futures_lite::ready;
use std::future::Future;

/// A timer for a deadline that is mostly put off before it passes.
///
/// Putting it off costs nothing: the reactor's timer is armed again only once it fires too early,
/// or for a deadline that is nearer. So a kept-alive connection registers one timer in 75 s, not
/// one for each request.
#[derive(Debug, Default)]
pub(super) struct Clock {
    timer: Option<Timer>,
    /// When `timer` fires; `None` if it is not armed.
    armed: Option<Instant>,
}

impl Clock {
    /// Ready once `deadline` has passed.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        loop {
            let timer = self.timer.get_or_insert_with(|| Timer::at(deadline));
            match self.armed {
                Some(armed) if armed <= deadline => {}
                _ => {
                    timer.set_at(deadline);
                    self.armed = Some(deadline);
                }
            }
            let now = ready!(Pin::new(timer).poll(cx));
            self.armed = None;
            if now >= deadline {
                return Poll::Ready(());
            }
        }
    }
}

/// The moment so long after another one; so far off that it never comes, if it cannot be told.
///
/// Whoever wants no timeout sets `Duration::MAX`, which a plain addition would panic on.
pub(super) fn after(since: Instant, timeout: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    since.checked_add(timeout.min(NEVER)).unwrap_or(since)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[test]
    fn no_timeout_is_a_long_one() {
        let now = Instant::now();
        assert!(after(now, Duration::MAX) > now + Duration::from_secs(3600));
    }

    #[test]
    fn fires_for_the_last_deadline_asked_for() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut clock = Clock::default();
        futures_lite::future::block_on(async {
            for deadline in [at(10_000), at(20), at(60)] {
                let pending =
                    poll_fn(|cx| Poll::Ready(clock.poll(cx, deadline).is_pending())).await;
                assert!(pending);
            }
            poll_fn(|cx| clock.poll(cx, at(60))).await;
        });
        assert!(start.elapsed() >= Duration::from_millis(60));
    }
}
