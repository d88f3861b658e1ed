//! Reading the header of a connection, within its limits.

use std::future::Future;
use std::io;
use std::pin::Pin;
#[cfg(feature = "http")]
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_lite::ready;

use super::header::{Header, Next};
use super::proxy_info::ProxyInfo;
use super::proxy_protocol::{ProxyProtocol, Trust};
use crate::net::endpoint::Endpoint;
use crate::net::stream::Stream;
use crate::stop::token::{StopToken, Stopped};
use crate::time::alarm::Alarm;
use crate::time::time_source::{TimeSource, deadline_from};

/// How often a socket is read before the others have their turn.
const READS: usize = 64;
/// The most bytes that are dropped at once.
const DROPPED: usize = 2048;

/// How long a drain waits for a header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DrainLimits {
    /// If the peer has sent nothing; from the accept on.
    pub(crate) new_conn_grace: Duration,
    /// If a part of it has come; from the begin of the drain on.
    pub(crate) drain_head_timeout: Duration,
}

impl Default for DrainLimits {
    /// Those of a server that has no settings for a drain.
    fn default() -> Self {
        Self {
            new_conn_grace: Duration::from_secs(1),
            drain_head_timeout: Duration::from_secs(5),
        }
    }
}

/// Why a connection is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unintroduced {
    /// The peer has gone, and has sent nothing: some balancers check a server so.
    Gone,
    /// The peer has sent nothing before the server has stopped.
    Idle,
    /// It was refused, counted and logged.
    Refused,
}

/// Why a header has not come.
#[derive(Clone, Copy)]
enum Missing {
    Gone,
    Idle,
    Why(&'static str),
}

impl ProxyProtocol {
    /// Reads the header of a connection that is not served, without a wait. Returns false if it has not come whole
    /// from one of these peers, and should have.
    #[cfg(feature = "http")]
    pub(crate) fn try_introduce(&self, stream: &Stream) -> bool {
        if self.trust(stream.peer_addr()) != Trust::Proxy {
            return self.trust(stream.peer_addr()) == Trust::Client;
        }
        let mut header = Header::new();
        loop {
            match read(&mut header, stream) {
                Ok(Read::Some) => {}
                Ok(Read::End(_)) => return true,
                Ok(Read::Nothing) | Err(_) => return false,
            }
        }
    }

    /// Waits for the header of a connection that has just been accepted, if it must have one, and notes what it
    /// says of its ends.
    ///
    /// Nothing is read of what is behind the header.
    ///
    /// # Errors
    ///
    /// The connection is to be closed.
    pub(crate) async fn introduce(
        &self,
        stream: &Stream,
        limits: DrainLimits,
        (service, time): (&str, &TimeSource),
        draining: StopToken,
    ) -> Result<(), Unintroduced> {
        let peer = stream.peer_addr();
        let missing = match self.trust(peer) {
            Trust::Client => return Ok(()),
            Trust::Nobody => Missing::Why("it is none of those that a PROXY header may come from"),
            Trust::Proxy => match Reading::new(self, stream, limits, time, draining).await {
                Ok(named) => {
                    stream.ends().introduce(named);
                    return Ok(());
                }
                Err(missing) => missing,
            },
        };
        Err(match missing {
            Missing::Gone => Unintroduced::Gone,
            Missing::Idle => Unintroduced::Idle,
            Missing::Why(why) => {
                self.refuse(service, time, peer, why);
                // A proxy notices a reset, and that is what it is to do (section 2.1). If the socket is
                // broken, there is nobody to notice.
                let _ = stream.reset_on_close();
                Unintroduced::Refused
            }
        })
    }
}

/// What a read has come to.
enum Read {
    /// Nothing has come.
    Nothing,
    /// Something has come, and more may have.
    Some,
    /// The header is whole, and names these.
    End(Option<[Endpoint; 2]>),
}

/// Reads once, if the header is not whole.
fn read(header: &mut Header, stream: &Stream) -> Result<Read, Missing> {
    let read = match header.next().map_err(Missing::Why)? {
        Next::End(named) => return Ok(Read::End(named)),
        Next::Bytes(most) => {
            let read = stream.below().try_read(header.space(most));
            header.fill(*read.as_ref().unwrap_or(&0));
            read
        }
        Next::Dropped(most) => {
            let scratch = &mut [0; DROPPED][..most.min(DROPPED)];
            let read = stream.below().try_read(scratch);
            header.drop(*read.as_ref().unwrap_or(&0));
            read
        }
    };
    match read {
        Ok(1..) => Ok(Read::Some),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Read::Nothing),
        Ok(0) | Err(_) => Err(gone(header)),
    }
}

/// Returns what is missing if the peer has gone.
fn gone(header: &Header) -> Missing {
    match header.has_begun() {
        true => Missing::Why("the peer has gone amid its PROXY header"),
        false => Missing::Gone,
    }
}

/// The wait for the header of a connection.
struct Reading<'s> {
    stream: &'s Stream,
    header: Header,
    accepted_at: Instant,
    /// When it is too late, if the server does not drain.
    deadline: Instant,
    limits: DrainLimits,
    time: &'s TimeSource,
    /// Set once it has to be waited for.
    alarm: Option<(Instant, Alarm)>,
    draining: Stopped,
    /// When the drain has begun.
    told_at: Option<Instant>,
}

type Named = Result<Option<[Endpoint; 2]>, Missing>;

impl<'s> Reading<'s> {
    /// Begins with a connection that has just been accepted.
    fn new(
        proxies: &ProxyProtocol,
        stream: &'s Stream,
        limits: DrainLimits,
        time: &'s TimeSource,
        draining: StopToken,
    ) -> Self {
        let accepted_at = time.now();
        Self {
            stream,
            header: Header::new(),
            accepted_at,
            deadline: deadline_from(accepted_at, proxies.header_timeout),
            limits,
            time,
            alarm: None,
            draining: draining.stopped(),
            told_at: None,
        }
    }

    /// Reads what has come of the header.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Named> {
        for _ in 0..READS {
            match read(&mut self.header, self.stream)? {
                Read::End(named) => return Poll::Ready(Ok(named)),
                Read::Some => {}
                Read::Nothing => {
                    if ready!(self.stream.below().poll_readable(cx)).is_err() {
                        return Poll::Ready(Err(gone(&self.header)));
                    }
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Returns ready when it is too late.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline();
        match &mut self.alarm {
            Some((at, alarm)) if *at != deadline => {
                alarm.set_at(deadline);
                *at = deadline;
            }
            Some(_) => {}
            none => *none = Some((deadline, self.time.alarm(deadline))),
        }
        match &mut self.alarm {
            Some((_, alarm)) => Pin::new(alarm).poll(cx),
            None => Poll::Pending,
        }
    }

    fn deadline(&self) -> Instant {
        let Some(told_at) = self.told_at else {
            return self.deadline;
        };
        self.deadline.min(match self.header.has_begun() {
            true => deadline_from(told_at, self.limits.drain_head_timeout),
            false => deadline_from(self.accepted_at, self.limits.new_conn_grace),
        })
    }

    /// Returns why nothing is waited for any more.
    fn missing(&self) -> Missing {
        match (self.told_at, self.header.has_begun()) {
            (Some(_), false) => Missing::Idle,
            (Some(_), true) => {
                Missing::Why("its PROXY header was not whole before the server has stopped")
            }
            (None, _) => Missing::Why("its PROXY header took too long"),
        }
    }
}

impl Future for Reading<'_> {
    type Output = Named;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Named> {
        let this = &mut *self;
        if let Poll::Ready(named) = this.poll_read(cx) {
            return Poll::Ready(named);
        }
        // Asked after the read: bytes that were there at the stop are read before it takes effect.
        if this.told_at.is_none() && Pin::new(&mut this.draining).poll(cx).is_ready() {
            this.told_at = Some(this.time.now());
        }
        let begun = this.header.has_begun();
        ready!(this.poll_late(cx));
        // The last look: something may have come while the time ran out.
        match this.poll_read(cx) {
            Poll::Ready(named) => Poll::Ready(named),
            Poll::Pending if this.header.has_begun() && !begun => {
                this.poll_late(cx).map(|()| Err(this.missing()))
            }
            Poll::Pending => Poll::Ready(Err(this.missing())),
        }
    }
}

impl Stream {
    /// Returns what the proxy in front has said of the connection; `None` if it has come from a peer that no
    /// PROXY header is required from, as all are by default.
    #[must_use]
    pub fn proxy(&self) -> Option<&ProxyInfo> {
        self.ends().proxy().map(|proxy| &**proxy)
    }

    /// Returns the same, shared.
    #[cfg(feature = "http")]
    pub(crate) fn proxy_shared(&self) -> Option<Arc<ProxyInfo>> {
        self.ends().proxy().cloned()
    }
}
