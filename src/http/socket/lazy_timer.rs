//! A timer for deadlines that move often and rarely pass.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_lite::ready;

use crate::time::alarm::Alarm;
use crate::time::time_source::TimeSource;

/// A timer for a deadline that is mostly put off before it passes.
///
/// Putting it off costs nothing: the reactor's timer is set again only when it fires too early, or
/// for a deadline that is nearer. So a kept-alive connection registers one timer in 75 s, not one
/// for each request.
#[derive(Default)]
pub(in crate::http) struct LazyTimer {
    timer: Option<Alarm>,
    /// When `timer` fires; `None` if it is not set.
    fires_at: Option<Instant>,
}

impl LazyTimer {
    /// Returns ready once `deadline` has passed.
    pub(in crate::http) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        time: &TimeSource,
        deadline: Instant,
    ) -> Poll<()> {
        loop {
            let timer = self.timer.get_or_insert_with(|| time.alarm(deadline));
            match self.fires_at {
                Some(fires_at) if fires_at <= deadline => {}
                _ => {
                    timer.set_at(deadline);
                    self.fires_at = Some(deadline);
                }
            }
            ready!(Pin::new(timer).poll(cx));
            self.fires_at = None;
            if time.now() >= deadline {
                return Poll::Ready(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    #[test]
    fn fires_for_the_last_deadline_asked_for() {
        let (time, start) = (TimeSource::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        let mut timer = LazyTimer::default();
        futures_lite::future::block_on(async {
            for deadline in [at(10_000), at(20), at(60)] {
                let polled = poll_fn(|cx| Poll::Ready(timer.poll(cx, &time, deadline)));
                assert!(polled.await.is_pending());
            }
            poll_fn(|cx| timer.poll(cx, &time, at(60))).await;
        });
        assert!(start.elapsed() >= Duration::from_millis(60));
    }
}
