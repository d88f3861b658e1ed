//! The address of a server that does not run yet, and may never.

use std::fmt;
use std::io;
use std::mem;
use std::net::Shutdown;

use super::codec::{self, Refusal};
use crate::group::scope::Scope;
use crate::net::address::Address;
use crate::net::binding::Binding;
use crate::net::endpoint::Endpoint;
use crate::net::listeners::{Listeners, Sharing};
#[cfg(feature = "proxy-protocol")]
use crate::net::proxy::ProxyProtocol;
use crate::net::stream::Stream;

/// The binding of a server that does not run yet.
///
/// If the server never runs, as a stop comes before its start, there may be clients that have connected to
/// its bound address and have sent requests. Nothing can serve them: the app is not to start, nor is what
/// it needs. So the drop of this answers each request that has come with 503.
pub(super) struct Unserved {
    binding: Binding,
    sharing: Sharing,
    /// Whether clients are not answered, as they speak TLS.
    hangs_up: bool,
    /// From whom a PROXY header is required.
    #[cfg(feature = "proxy-protocol")]
    proxies: Option<ProxyProtocol>,
}

impl Unserved {
    pub(super) fn new(address: impl Into<Address>) -> Self {
        Self {
            binding: Binding::new(address),
            sharing: Sharing::IfAdopted,
            hangs_up: false,
            #[cfg(feature = "proxy-protocol")]
            proxies: None,
        }
    }

    /// Sets whether the clients in the queue are another process's.
    pub(super) fn set_sharing(&mut self, sharing: Sharing) {
        self.sharing = sharing;
    }

    /// Has clients not answered: with TLS there would have to be a handshake before.
    #[cfg(feature = "tls")]
    pub(super) fn hang_up(&mut self) {
        self.hangs_up = true;
    }

    /// Sets from whom a PROXY header is required.
    #[cfg(feature = "proxy-protocol")]
    pub(super) fn set_proxies(&mut self, proxies: ProxyProtocol) {
        self.proxies = Some(proxies);
    }

    /// Returns true if a client is answered, as far as its PROXY header says.
    fn answers(&self, stream: &Stream) -> bool {
        #[cfg(feature = "proxy-protocol")]
        if let Some(proxies) = &self.proxies {
            return !self.hangs_up && proxies.try_introduce(stream);
        }
        #[cfg(not(feature = "proxy-protocol"))]
        let _ = stream;
        !self.hangs_up
    }

    /// Binds the address, unless that has been done.
    ///
    /// # Errors
    ///
    /// Returns an error that names the address, if it cannot be bound.
    pub(super) fn bind(mut self, backlog: u32) -> io::Result<Self> {
        self.binding = self.take().bind(backlog)?;
        Ok(self)
    }

    /// Returns where connections arrive; nothing before it is bound.
    pub(super) fn local_addrs(&self) -> &[Endpoint] {
        self.binding.local_addrs()
    }

    /// Binds the address, unless that has been done, for a server that runs now.
    ///
    /// # Errors
    ///
    /// The same.
    pub(super) fn listen(mut self, backlog: u32, scope: &Scope<'_>) -> io::Result<Listeners> {
        self.take().listen(backlog, scope)
    }

    /// Takes the binding, and leaves the drop nothing to do.
    fn take(&mut self) -> Binding {
        mem::replace(&mut self.binding, Binding::new(Vec::<Address>::new()))
    }
}

impl Drop for Unserved {
    fn drop(&mut self) {
        if let Binding::Listeners(listeners, _) = self.take() {
            let answer = |stream| answer(&stream, self.answers(&stream));
            listeners.close_now(self.sharing, answer);
        }
    }
}

/// Answers a request that has begun to come, without waiting for anything; or hangs up.
fn answer(stream: &Stream, answers: bool) {
    let (mut scratch, mut has_begun) = ([0; 4096], false);
    // Unread bytes would make the close a reset, which takes the answer from the peer.
    for _ in 0..16 {
        match stream.try_read(&mut scratch) {
            Ok(1..) => has_begun = true,
            Ok(0) | Err(_) => break,
        }
    }
    if has_begun && answers {
        let mut answer = Vec::new();
        codec::write_refusal(Refusal::unavailable(), &mut answer);
        // There is no one to report an error to.
        let _ = stream.try_write(&answer);
        let _ = stream.shutdown(Shutdown::Write);
    }
}

impl fmt::Debug for Unserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.binding.fmt(f)
    }
}
