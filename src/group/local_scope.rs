//! What a service that stays on one thread is handed.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use super::child_handle::ChildHandle;
use super::children::spawn_child;
use super::scope::Scope;
use crate::executor::kind::Local;
use crate::executor::spawner::Spawner;
use crate::members::child_task::ChildTask;
use crate::service::result::ChildResult;
use crate::service::result::sealed::IntoValue;

/// What a service of a [`LocalGroup`](crate::LocalGroup) is handed: a [`Scope`] whose children need
/// not be `Send`.
///
/// Clones are the same scope. It stays on its thread; a [`Scope`] made of it, and its
/// [`token`](Scope::token), may go to others.
///
/// ```compile_fail,E0277
/// fn is_send<T: Send>() {}
///
/// is_send::<neap::LocalScope<'static>>();
/// ```
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use futures_lite::future;
/// use neap::{Group, LocalScope, Scope};
///
/// async fn serve(scope: LocalScope<'static>) {
///     let name = Rc::new(scope.name().to_owned());
///     scope.spawn(async move { println!("a child of {name}") });
///
///     let other: Scope<'static> = scope.into();
///     std::thread::spawn(move || other.spawn(async { println!("another") }));
/// }
///
/// let mut group = Group::local();
/// group.add("server", serve);
/// future::block_on(group.run())?;
/// # Ok::<(), neap::Error>(())
/// ```
pub struct LocalScope<'a> {
    scope: Scope<'a>,

    /// Takes the children that stay on this thread.
    spawner: Arc<Spawner<'a, Local>>,
}

impl<'a> LocalScope<'a> {
    pub(super) fn new(scope: Scope<'a>, spawner: Arc<Spawner<'a, Local>>) -> LocalScope<'a> {
        LocalScope { scope, spawner }
    }

    /// Spawns a child of the service, as [`Scope::spawn`] does, which need not be `Send`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::local();
    /// group.add("parent", async |scope| {
    ///     let number = Rc::new(7);
    ///     scope.spawn(async move {
    ///         if *number == 7 { Err("the child is tired") } else { Ok(()) }
    ///     });
    /// });
    /// let error = future::block_on(group.run()).unwrap_err();
    /// assert_eq!(error.to_string(), "service `parent` failed: the child is tired");
    /// ```
    pub fn spawn<F>(&self, future: F) -> ChildHandle<<F::Output as IntoValue>::Value>
    where
        F: Future + 'a, // borrows? write async move
        F::Output: ChildResult<Value: 'a>,
    {
        spawn_child(self.scope.member(), |child, output| {
            let task = ChildTask::new(Arc::clone(&child), future, output);
            self.spawner.spawn(child, Box::pin(task));
        })
    }
}

impl<'a> Deref for LocalScope<'a> {
    type Target = Scope<'a>;

    fn deref(&self) -> &Scope<'a> {
        &self.scope
    }
}

impl<'a> From<LocalScope<'a>> for Scope<'a> {
    fn from(scope: LocalScope<'a>) -> Scope<'a> {
        scope.scope
    }
}

impl Clone for LocalScope<'_> {
    fn clone(&self) -> Self {
        LocalScope::new(self.scope.clone(), Arc::clone(&self.spawner))
    }
}

impl fmt::Debug for LocalScope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalScope")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
