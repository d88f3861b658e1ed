//! Closing listeners such that no connection is lost.

use std::time::Duration;

use futures_lite::future::yield_now;

use super::handshakes::Diagnosis;
use super::intake::Intake;
use super::listener::{Listener, Refusal};
use super::outlook::{Outlook, Sight};
use super::stream::Stream;
use crate::time::time_source::TimeSource;

/// How long a close waits for handshakes in flight, unless another time is set.
///
/// A client repeats a lost SYN, and a server a lost SYN-ACK, after 1 s (RFC 6298, 2.1).
pub(crate) const HANDSHAKE_GRACE: Duration = Duration::from_millis(1500);

/// The first time after which the kernel is asked again. It doubles up to [`LONGEST_LOOK`].
const FIRST_LOOK: Duration = Duration::from_millis(2);
/// The longest such time.
const LONGEST_LOOK: Duration = Duration::from_millis(100);
/// The most connections that are taken at once from a listener that does not refuse others.
const CAP: usize = 4096;
/// True if the kernel names the handshakes in flight.
const HANDSHAKES_ARE_NAMED: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Refuses new connections, gives those that are there or on their way to `each`, and closes.
///
/// The times of a kernel and of its network are real ones: the clock of a group counts only those of a
/// network in memory.
pub(super) async fn close(
    listeners: Vec<Listener>,
    diagnosis: Option<Diagnosis>,
    time: &TimeSource,
    grace: Duration,
    each: impl FnMut(Stream) + Send,
) {
    let mut intake = Intake::new(diagnosis, each);
    let refusals: Vec<_> = listeners.iter().map(Listener::refuse).collect();
    let (mut waiting, mut refuses) = (Vec::new(), Vec::new());
    for (listener, refusal) in listeners.into_iter().zip(refusals) {
        let has_handshakes = listener.local().tcp().is_some() && HANDSHAKES_ARE_NAMED;
        match refusal {
            Refusal::Connects => drop(intake.accept_all(&listener, usize::MAX).await),
            Refusal::None if !has_handshakes => drop(intake.accept_all(&listener, CAP).await),
            Refusal::Handshakes | Refusal::None => {
                waiting.push(listener);
                refuses.push(refusal == Refusal::Handshakes);
            }
        }
    }
    let time = match waiting.iter().any(Listener::is_of_the_kernel) {
        true => TimeSource::default(),
        false => time.clone(),
    };
    if !waiting.is_empty() {
        let outlook = Outlook::new(time, grace, &refuses);
        close_after_handshakes(&waiting, outlook, &mut intake).await;
    }
}

/// Accepts until no handshake is in flight that has begun before; or none at all, to listeners that do
/// not refuse others.
async fn close_after_handshakes(
    listeners: &[Listener],
    mut outlook: Outlook,
    intake: &mut Intake<impl FnMut(Stream) + Send>,
) {
    let mut pause = FIRST_LOOK;
    loop {
        let sight = outlook.look(listeners, &mut intake.diagnosis);
        // After the dump: a handshake that ended before it has a connection in the queue by now.
        let mut taken = 0;
        for (index, listener) in listeners.iter().enumerate() {
            let most = if outlook.refuses(index) {
                usize::MAX
            } else {
                CAP
            };
            taken += intake.accept_all(listener, most).await;
        }
        // The grace begins when descriptors have sufficed for all that was in the queue.
        let left = outlook.left(&sight);
        if left.is_zero() {
            return;
        }
        let late = outlook.sleep(pause.min(left));
        match sight {
            Sight::Clear => return,
            Sight::NoDescriptor => late.await,
            // They, or others, are here: a turn for the other tasks of this thread.
            Sight::Named(count) if count <= taken => yield_now().await,
            Sight::Named(count) => intake.accept_for(listeners, late, count - taken).await,
            Sight::Blind => intake.accept_for(listeners, late, usize::MAX).await,
        }
        pause = (pause * 2).min(LONGEST_LOOK);
    }
}
