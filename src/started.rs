//! Waiting until all of a group is up.

use crate::stop::until;
use crate::{Cause, Handle};

impl Handle<'_> {
    /// Waits until every service of the group is ready, or has ended.
    ///
    /// Those that wait for their turn in a group with a [limit](crate::Group::limit) are waited
    /// for too. Services that are added meanwhile may or may not be.
    ///
    /// # Errors
    ///
    /// The cause of the stop, if the group was stopped before, or has ended.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped and made anew at any time.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// let handle = group.handle();
    /// group.add("db", |scope| async move {
    ///     scope.starting();
    ///     future::yield_now().await;
    ///     scope.ready();
    /// });
    /// group.add("announcer", |_| async move {
    ///     if handle.started().await.is_ok() {
    ///         println!("all is up");
    ///     }
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub async fn started(&self) -> Result<(), Cause> {
        let stopped = self.token().stopped();
        let all_up = async {
            let mut up = 0;
            while !self.are_up(&mut up) {
                let announcement = self.hub.watch();
                if self.are_up(&mut up) {
                    break;
                }
                announcement.await;
            }
        };
        match until(all_up, stopped).await {
            Some(()) if !self.is_stopped() => Ok(()),
            _ => Err(self.cause().unwrap_or(Cause::Ended)),
        }
    }

    /// Whether all services are up, where the first `up` of them are known to be.
    fn are_up(&self, up: &mut usize) -> bool {
        let members = self.roster.snapshot();
        let rest = members.get(*up..).unwrap_or_default();
        let more = rest.iter().take_while(|member| member.is_up()).count();
        *up += more;
        self.hub.opened_at() != u64::MAX && more == rest.len()
    }
}
