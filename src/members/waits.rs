//! Waiting for services: until all are up, until one has ended.

use std::future::poll_fn;
#[cfg(feature = "http")]
use std::sync::Arc;
use std::task::Poll;

use super::core::{Core, Member};
use crate::service::id::ServiceId;
#[cfg(feature = "http")]
use crate::service::lifecycle::Flag;
use crate::sync::next_number;

impl Core {
    /// Waits until a service has ended, or was abandoned.
    pub(crate) async fn gone(&self, id: ServiceId) {
        let Some(index) = id.index_in(self.id) else {
            return;
        };
        let wait = Wait {
            core: self,
            index,
            number: next_number(),
        };
        poll_fn(|cx| {
            if self.is_here(index) {
                self.departures.watch(index, wait.number, cx.waker());
                if self.is_here(index) {
                    return Poll::Pending;
                }
            }
            Poll::Ready(())
        })
        .await;
    }

    /// Returns true if the service may still run.
    fn is_here(&self, index: usize) -> bool {
        let member = self.registry.get(index);
        member.is_some_and(|member| member.is_here())
    }

    /// Waits until every service is ready, or has ended.
    pub(crate) async fn all_up(&self) {
        self.all_up_but(None).await;
    }

    /// Waits for all services but the one with the index `except`.
    async fn all_up_but(&self, except: Option<usize>) {
        let mut up = 0;
        while !self.are_up(&mut up, except) {
            let announcement = self.readiness.watch();
            if self.are_up(&mut up, except) {
                break;
            }
            announcement.await;
        }
    }

    /// Returns true if all services are up, but for `except`, where those before the index `up` are known to be.
    fn are_up(&self, up: &mut usize, except: Option<usize>) -> bool {
        let is_up =
            |member: &Member| member.data.lifecycle().is_up() || except == Some(member.index());
        let first = self.registry.first_not(*up, is_up);
        *up = first.unwrap_or(*up);
        first.is_none() && self.readiness.opened_at().is_some()
    }
}

/// Waits until every service beside this one is ready, or has ended: in its group, and in those that this is a
/// service of.
///
/// This one too, if it has said that it is starting, as one may that warms up beside its server.
///
/// A group in which that was so once is not waited for again: a server that is restarted takes no readiness away.
#[cfg(feature = "http")]
pub(crate) async fn others_up(member: &Arc<Member>) {
    let (mut next, mut is_own) = (Some(Arc::clone(member)), true);
    while let Some(member) = next {
        let host = &member.host;
        if !host.readiness.were_others_up() {
            host.all_up_but(Some(member.index())).await;
            if is_own && member.data.lifecycle().has(Flag::Starting) {
                host.all_up().await;
            }
            host.readiness.set_others_up();
        }
        (next, is_own) = (member.host.outer_member(), false);
    }
}

/// A wait for the end of a service. Dropping it leaves nothing behind.
struct Wait<'c> {
    core: &'c Core,
    index: usize,
    number: u64,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.core.departures.forget(self.index, self.number);
    }
}
