//! What comes before the first request of a connection.

use super::Connection;
use super::close::CloseMode;
use crate::http::door::Door;

impl<D: Door> Connection<D> {
    /// Does what comes before the first request. Returns how the connection is closed if that has failed.
    ///
    /// Each step is boxed, so that it takes no room in the connection that it is over for.
    pub(super) async fn open(&mut self) -> Option<CloseMode> {
        #[cfg(feature = "proxy-protocol")]
        if self.transport.context.settings.proxies.is_some() {
            if let Err(mode) = Box::pin(self.introduce()).await {
                return Some(mode);
            }
        }
        #[cfg(feature = "tls")]
        if self.transport.context.tls.is_some() {
            return Box::pin(self.shake_hands()).await.err();
        }
        None
    }
}
