//! What a service returned is found again by its type, however it came up.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use anyhow::Context;
use neap::{Error, Group, Restart, Scope, restart};

use crate::runtimes::on_all;

/// An error of a user's.
#[derive(Debug, PartialEq)]
struct Mine(u8);

impl fmt::Display for Mine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mine {}", self.0)
    }
}

impl StdError for Mine {}

/// Fails with [`Mine`], by `?`.
fn fail() -> Result<(), Mine> {
    Err(Mine(7))
}

/// Checks that what a group of one service ends in has [`Mine`] in it.
async fn check(mut group: Group<'static>, outer: Group<'static>) {
    group.add("other", async |scope: Scope<'static>| {
        scope.stopped().await;
    });
    let mut outer = outer;
    outer.add("inner", group.into_service());
    let error = outer.run().await.unwrap_err();
    assert_eq!(error.find::<Mine>(), Some(&Mine(7)), "{error:?}");
    assert!(error.find::<fmt::Error>().is_none());
    assert_eq!(error.find::<Error>().unwrap().service(), Some("it"));
}

#[test]
fn an_error_is_found_by_its_type() {
    on_all(|runtime| async move {
        let new = || (runtime.group(), runtime.group());

        let (mut group, outer) = new();
        group.add("it", async |_| fail());
        check(group, outer).await;

        let (mut group, outer) = new();
        group.add(
            "it",
            async |_| -> Result<(), Box<dyn StdError + Send + Sync>> { Ok(fail()?) },
        );
        check(group, outer).await;

        let (mut group, outer) = new();
        group.add("it", async |_| Err(Box::new(Mine(7))));
        check(group, outer).await;

        let (mut group, outer) = new();
        group.add("it", async |_| Err(std::sync::Arc::new(Mine(7))));
        check(group, outer).await;

        let (mut group, outer) = new();
        group.add("it", async |_| Err(std::io::Error::other(Mine(7))));
        check(group, outer).await;

        let (mut group, outer) = new();
        group.add("it", async |_| anyhow::Ok(fail()?));
        check(group, outer).await;

        let (mut group, outer) = new();
        group.add("it", async |_| fail().context("a").context("b"));
        check(group, outer).await;

        let (mut group, outer) = new();
        group.add("it", async |scope: Scope<'static>| {
            scope.spawn(async { anyhow::Ok(fail()?) }).await;
        });
        check(group, outer).await;

        let (mut group, outer) = new();
        let policy = Restart::on_failure().intensity(0, std::time::Duration::from_secs(1));
        group.add("it", restart(policy, async |_| anyhow::Ok(fail()?)));
        check(group, outer).await;
    });
}

#[test]
fn an_error_of_a_later_failure_is_found_too() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        group.add("late", async |scope: Scope<'static>| {
            scope.stopped().await;
            fail()
        });
        group.add("first", async |scope: Scope<'static>| {
            // Not before the other one is there to fail later.
            let _ = scope.handle().started().await;
            Err("first")
        });
        let error = group.run().await.unwrap_err();
        assert_eq!(error.service(), Some("first"));
        assert_eq!(error.find(), Some(&Mine(7)));
    });
}

#[cfg(all(unix, feature = "signal"))]
#[test]
fn the_error_of_a_signal_that_cannot_be_registered_is_found() {
    let error = neap::signal::listen([neap::signal::Signal::Kill]).unwrap_err();
    assert!(error.find::<std::io::Error>().is_some());
}

#[test]
fn an_error_is_found_in_one_that_is_shared_boxed_or_of_io() {
    let in_io = || std::io::Error::other(Mine(7));
    let shared: Arc<dyn StdError + Send + Sync> = Arc::new(Mine(7));
    check_alone(Arc::new(in_io()));
    check_alone(Box::new(in_io()));
    check_alone(shared);
    check_alone(std::io::Error::other(Box::new(Mine(7))));
}

/// Checks that [`Mine`] is found in what a service returned.
fn check_alone(error: impl StdError + Send + Sync + 'static) {
    let mut group = Group::new();
    group.add("it", async move |_| Err::<(), _>(error));
    let error = futures_lite::future::block_on(group.run()).unwrap_err();
    assert_eq!(error.find::<Mine>(), Some(&Mine(7)), "{error:?}");
}
