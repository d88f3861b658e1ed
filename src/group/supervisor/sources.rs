//! The streams that stop a group.

use std::task::{Context, Poll};

use futures_lite::Stream;

use crate::executor::kind::{BoxedStream, TaskKind};
use crate::executor::panic::{Panicked, catch};
use crate::stop::cause::Cause;

/// An item of a source of stops.
pub(super) enum Item {
    /// The first one, which stops the group.
    First(Cause),

    /// A second one, which cancels it, after the first.
    Again { first: Cause, second: Cause },

    /// A source has panicked with this message, and was dropped.
    Panicked(String),
}

/// A stream of causes, boxed.
pub(super) type Causes<'a, K> = BoxedStream<'a, K, Cause>;

/// A stream whose first item stops the group, and whose second cancels it. It is dropped then: it
/// has nothing more to say, and may be one that is always ready.
struct Source<'a, K: TaskKind> {
    items: Causes<'a, K>,

    /// The first item, once there was one.
    first: Option<Cause>,
}

/// The streams that stop a group.
pub(super) struct Sources<'a, K: TaskKind> {
    sources: Vec<Source<'a, K>>,
}

impl<'a, K: TaskKind> Sources<'a, K> {
    pub(super) fn new() -> Sources<'a, K> {
        Sources {
            sources: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, items: Causes<'a, K>) {
        let first = None;
        self.sources.push(Source { items, first });
    }

    /// Returns true if this cause was the first item of a source, and a second one may come.
    pub(super) fn may_repeat(&self, cause: &Cause) -> bool {
        let may_go_on = |source: &Source<'a, K>| {
            // It is the user's code. The size of a stream that has given its only item is 0.
            let size = catch(|| source.items.size_hint().1);
            size.unwrap_or_default() != Some(0)
        };
        let is_its = |source: &&Source<'a, K>| source.first.as_ref() == Some(cause);
        self.sources.iter().filter(is_its).any(may_go_on)
    }

    /// Polls the sources for an item. One that has ended is dropped.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Item> {
        let mut index = 0;
        while let Some(source) = self.sources.get_mut(index) {
            match catch(|| source.items.as_mut().poll_next(cx)) {
                Ok(Poll::Ready(Some(cause))) => match source.first.take() {
                    None => {
                        source.first = Some(cause.clone());
                        return Poll::Ready(Item::First(cause));
                    }
                    Some(first) => {
                        self.remove(index);
                        let second = cause;
                        return Poll::Ready(Item::Again { first, second });
                    }
                },
                Ok(Poll::Ready(None)) => self.remove(index),
                Ok(Poll::Pending) => index += 1,
                Err(Panicked(message)) => {
                    self.remove(index);
                    return Poll::Ready(Item::Panicked(message));
                }
            }
        }
        Poll::Pending
    }

    /// Drops a source. A panic of its destructor changes nothing any more.
    fn remove(&mut self, index: usize) {
        let source = self.sources.swap_remove(index);
        let _ = catch(|| drop(source));
    }
}

impl<K: TaskKind> Drop for Sources<'_, K> {
    fn drop(&mut self) {
        while !self.sources.is_empty() {
            self.remove(0);
        }
    }
}
