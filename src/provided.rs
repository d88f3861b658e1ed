//! A value that one service has for the others.

use std::fmt;
use std::sync::Arc;

use crate::sync::{Event, Mutex, lock};

/// A value that one service provides to others: a pool of connections, a cache, an address.
///
/// [Needs](crate::Added::needs) say in which order services start and stop; this hands over what the
/// one has made. The service that makes the value [provides](Provided::provide) it before it says that
/// it is ready, and those that need it find it when they start. It is there until the service drops
/// what `provide` returned, at its end at the latest. If the service is restarted, it provides another:
/// who asks for each use has the new one.
///
/// Clones are of the same value, which is cloned for each use: of what is no `Clone`, or costs much to
/// clone, provide an [`Arc`].
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::{Group, Provided};
///
/// let pool = Provided::new();
/// let (owner, user) = (pool.clone(), pool.clone());
///
/// let mut group = Group::new();
/// let db = group.add("db", async move |scope| {
///     scope.starting();
///     let _provided = owner.provide("a pool".to_owned()); // what it takes to connect
///     scope.ready();
///     scope.stopped().await; // once nobody needs it any more
/// }).id();
/// group.add("http", async move |scope| {
///     assert_eq!(user.get().as_deref(), Some("a pool"));
///     scope.stop();
/// }).needs(db);
/// future::block_on(group.run())?;
/// assert_eq!(pool.get(), None);
/// # Ok::<(), neap::Error>(())
/// ```
pub struct Provided<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    /// Behind a pointer: no code of the user's runs under the lock.
    value: Mutex<Option<Arc<T>>>,

    /// Notified when there is a value.
    provided: Event,
}

impl<T> Provided<T> {
    /// Makes one without a value.
    pub fn new() -> Provided<T> {
        Provided {
            shared: Arc::new(Shared {
                value: Mutex::new(None),
                provided: Event::new(),
            }),
        }
    }

    /// Provides a value, until the guard is dropped or another value is provided.
    ///
    /// Bind the guard to a name, as in `let _pool = ..`: as a statement, or with `let _ = ..`, it is
    /// dropped at once, and the value with it.
    pub fn provide(&self, value: T) -> Providing<T> {
        let value = Arc::new(value);
        let before = lock(&self.shared.value).replace(Arc::clone(&value));
        drop(before);
        let providing = Providing {
            shared: Arc::clone(&self.shared),
            value,
        };
        // After the guard is there: if a waker panics, the value is taken away.
        self.shared.provided.notify(usize::MAX);
        providing
    }

    fn current(&self) -> Option<Arc<T>> {
        lock(&self.shared.value).clone()
    }
}

impl<T: Clone> Provided<T> {
    /// Returns the value; `None` if there is none now.
    pub fn get(&self) -> Option<T> {
        self.current().map(|value| T::clone(&value))
    }

    /// Waits until there is a value, and returns it.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped and made anew at any time.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Provided;
    ///
    /// let port = Provided::new();
    /// let _guard = port.provide(8080);
    /// assert_eq!(future::block_on(port.wait()), 8080);
    /// ```
    pub async fn wait(&self) -> T {
        loop {
            if let Some(value) = self.get() {
                return value;
            }
            let provided = self.shared.provided.listen();
            if self.current().is_none() {
                provided.await;
            }
        }
    }
}

impl<T> Clone for Provided<T> {
    fn clone(&self) -> Self {
        Provided {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Default for Provided<T> {
    fn default() -> Self {
        Provided::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for Provided<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Provided").field(&self.current()).finish()
    }
}

/// Keeps a value there for others: what [`Provided::provide`] returns. Derefs to the value.
#[must_use = "dropped at once, it takes the value away; bind it to a name: `let _pool = ..`"]
pub struct Providing<T> {
    shared: Arc<Shared<T>>,
    value: Arc<T>,
}

impl<T> std::ops::Deref for Providing<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Drop for Providing<T> {
    fn drop(&mut self) {
        let is_own = |value: &mut Arc<T>| Arc::ptr_eq(value, &self.value);
        let taken = lock(&self.shared.value).take_if(is_own);
        // Dropped outside the lock.
        drop(taken);
    }
}

impl<T: fmt::Debug> fmt::Debug for Providing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Providing").field(&self.value).finish()
    }
}
