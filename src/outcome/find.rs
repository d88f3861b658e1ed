//! Finding an error by its type.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use super::Outcome;
use super::error::Error;
use crate::service::exit::Exit;
use crate::service::gave_up::GaveUp;

impl Error {
    /// Finds an error by its type: in what the services returned, the first failure first, in what
    /// caused that, and in nested groups.
    ///
    /// What is returned by `?` as an `anyhow::Error` is found with the feature `anyhow` only, also with
    /// context around it. Without that feature its type is lost when it is boxed; its causes are not.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut inner = Group::new();
    /// inner.add("reader", async |_| { Err(io::Error::from(io::ErrorKind::NotFound)) });
    /// let mut group = Group::new();
    /// group.add("inner", inner.into_service());
    ///
    /// let error = future::block_on(group.run()).unwrap_err();
    /// assert_eq!(error.find::<io::Error>().unwrap().kind(), io::ErrorKind::NotFound);
    /// assert!(error.find::<std::fmt::Error>().is_none());
    /// ```
    pub fn find<E: StdError + 'static>(&self) -> Option<&E> {
        let outcome = self.outcome();
        let in_outcome = outcome.and_then(find_in_outcome);
        in_outcome.or_else(|| self.io_error().and_then(|error| find_in_chain(error)))
    }
}

fn find_in_outcome<E: StdError + 'static>(outcome: &Outcome) -> Option<&E> {
    let first = outcome.failures().map(|report| report.exit());
    let later = outcome.later_failures().map(|(_, exit)| exit);
    first.chain(later).find_map(find_in_exit)
}

fn find_in_exit<E: StdError + 'static>(exit: &Exit) -> Option<&E> {
    match exit {
        Exit::Failed(error) => find_in_chain(&**error),
        _ => None,
    }
}

/// Looks at an error and at what caused it.
fn find_in_chain<'e, E: StdError + 'static>(first: &'e (dyn StdError + 'static)) -> Option<&'e E> {
    let mut next = Some(first);
    while let Some(error) = next {
        if let Some(found) = find_here(error) {
            return Some(found);
        }
        // The message of these has that of the failure in it, and so their source is what is below it.
        if let Some(nested) = find_here::<Error>(error) {
            return nested.find();
        }
        if let Some(gave_up) = find_here::<GaveUp>(error) {
            return find_in_exit(gave_up.last());
        }
        // An error of std that wraps one of the user's passes it over in its own source.
        let wrapped = find_here::<io::Error>(error);
        if let Some(wrapped) = wrapped.and_then(io::Error::get_ref) {
            return find_in_chain(wrapped);
        }
        let shared = error.downcast_ref::<Arc<dyn StdError + Send + Sync>>();
        if let Some(shared) = shared {
            return find_in_chain(&**shared);
        }
        next = error.source();
    }
    None
}

/// Looks at one error, which may be in a pointer.
fn find_here<'e, E: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e E> {
    let boxed = || error.downcast_ref::<Box<E>>().map(|boxed| &**boxed);
    let shared = || error.downcast_ref::<Arc<E>>().map(|shared| &**shared);
    error.downcast_ref().or_else(boxed).or_else(shared)
}
