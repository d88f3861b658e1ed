//! The error of a group: the first failure, with everything else that went wrong.

use std::error::Error as _;
use std::{fmt, io};

use futures_lite::future;
use neap::{Group, OnExit};

use crate::run;

/// An error with a cause of its own.
#[derive(Debug)]
struct Broken(io::Error);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the pool is broken")
    }
}

impl std::error::Error for Broken {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn refused() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused")
}

#[test]
fn an_error_names_the_service_and_keeps_the_chain() {
    let mut group = Group::new();
    group.add("db", |_| async { Err(Broken(refused())) });
    let error = run(group).unwrap_err();

    assert_eq!(error.to_string(), "service `db` failed: the pool is broken");
    assert_eq!(error.source().unwrap().to_string(), "connection refused");
    assert!(error.failure().unwrap().is::<Broken>());
    assert!(!error.is_timeout());
    assert_eq!(error.panic_message(), None);
    assert_eq!(
        format!("{error:?}"),
        "service `db` failed: the pool is broken\n  caused by: connection refused"
    );
}

#[test]
fn all_failures_are_kept_in_order() {
    let mut group = Group::new();
    group.add("first", |scope| async move {
        scope.spawn(async { Err::<(), _>("its child") });
        scope.spawn(async { Err::<(), _>("its other child") });
        scope.stopped().await;
        Err("itself")
    });
    group.add("second", |scope| async move {
        scope.stopped().await;
        Err("as well")
    });
    let error = run(group).unwrap_err();
    let outcome = error.outcome().unwrap();
    let failures: Vec<_> = outcome
        .failures()
        .map(|report| report.exit().to_string())
        .collect();
    assert_eq!(failures, ["failed: its child", "failed: as well"]);
    let later: Vec<_> = outcome
        .later_failures()
        .map(|(report, exit)| format!("{}: {exit}", report.name()))
        .collect();
    assert_eq!(
        later,
        ["first: failed: its other child", "first: failed: itself"]
    );
    let debug = format!("{error:?}");
    assert!(
        debug.starts_with("service `first` failed: its child\n  then: `second` failed: as well")
    );
    assert!(
        debug.contains("\n  then: `first` failed: itself"),
        "{debug}"
    );
}

#[test]
fn services_may_end_in_anyhow_in_std_errors_and_in_strings() {
    async fn parse(text: &str) -> anyhow::Result<()> {
        let number: u8 = text.parse()?;
        anyhow::ensure!(number < 10, "{number} is too large");
        Ok(())
    }
    let mut group = Group::new();
    group.add("anyhow", |_| parse("11"));
    assert_eq!(
        run(group).unwrap_err().to_string(),
        "service `anyhow` failed: 11 is too large"
    );

    let mut group = Group::new();
    group.add("std", |_| async { "x".parse::<u8>().map(drop) });
    assert_eq!(
        run(group).unwrap_err().to_string(),
        "service `std` failed: invalid digit found in string"
    );

    let mut group = Group::new();
    group.add("owned", |_| async { Err(String::from("owned")) });
    assert_eq!(
        run(group).unwrap_err().to_string(),
        "service `owned` failed: owned"
    );
}

#[test]
fn many_stragglers_are_counted_rather_than_listed() {
    let mut group = Group::new().drain_timeout(std::time::Duration::ZERO);
    for number in 0..7 {
        group.add(format!("deaf {number}"), |_| future::pending::<()>());
    }
    group.add("stop", |_| async {}).on_exit(OnExit::Stop);
    let line = run(group).unwrap_err().to_string();
    assert!(line.contains("`deaf 0`, `deaf 1`"), "{line}");
    assert!(
        line.ends_with(
            " and 2 more did not end within their drain timeout of 0s (stopped by end of `stop`)"
        ),
        "{line}"
    );
}

#[test]
fn an_error_through_anyhow_keeps_the_later_failures() {
    let mut group = Group::new();
    group.add("http", |scope| async move {
        scope.stopped().await;
        Err(Broken(refused()))
    });
    group.add("db", |_| async {
        Err(anyhow::Error::new(Broken(refused())).context("no answer"))
    });
    let error = run(group).map_err(|error| anyhow::anyhow!("{error:?}"));
    let printed = format!("{:?}", error.unwrap_err());
    assert!(
        printed.starts_with(
            "service `db` failed: no answer\n  \
            caused by: the pool is broken\n  \
            caused by: connection refused\n  \
            then: `http` failed: the pool is broken: connection refused"
        ),
        "{printed}"
    );
}
