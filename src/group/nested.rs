//! A group as a service of another.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_lite::FutureExt;

use super::handle::Handle;
use super::run::Run;
use super::scope::Scope;
use crate::executor::kind::{Shared, TaskKind};
use crate::executor::panic::catch;
use crate::outcome::error::Error;

/// The future of a [group as a service](crate::Group::into_service).
#[must_use = "futures do nothing unless polled"]
pub struct Nested<'a, K: TaskKind = Shared> {
    run: Run<'a, K>,

    /// Says that the service is ready once all services of the group are.
    starting: Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
}

impl<'a, K: TaskKind> Nested<'a, K> {
    pub(super) fn new(run: Run<'a, K>, handle: Handle<'a>, scope: Scope<'a>) -> Nested<'a, K> {
        scope.starting();
        let starting = async move {
            if handle.started().await.is_ok() {
                scope.ready();
            }
        };
        Nested {
            run,
            starting: Some(starting.boxed()),
        }
    }
}

impl<K: TaskKind> Future for Nested<'_, K> {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.run.poll(cx).map_ok(|outcome| {
            // In it are the failures that were ignored: a panic in the drop of one is ignored too.
            let _ = catch(|| drop(outcome));
        });
        // Polled after the services, which may have become ready just now.
        if let Some(starting) = &mut self.starting {
            if starting.as_mut().poll(cx).is_ready() {
                self.starting = None;
            }
        }
        polled
    }
}

impl<K: TaskKind> fmt::Debug for Nested<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nested").finish_non_exhaustive()
    }
}
