//! Errors of each kind that a service may end in, and how each is read in the end.

use std::error::Error as StdError;
use std::{fmt, io};

use anyhow::Context;
use futures_lite::future::block_on;
use neap::{Error, Group};

/// An error of the program's own.
#[derive(Debug)]
struct OutOfPaper {
    tray: u8,
}

impl fmt::Display for OutOfPaper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tray {} is out of paper", self.tray)
    }
}

impl StdError for OutOfPaper {}

fn print() -> Result<(), OutOfPaper> {
    Err(OutOfPaper { tray: 2 })
}

/// Runs a group of one service, and returns the error it ends in.
fn end_of(fill: impl FnOnce(&mut Group<'_>)) -> Error {
    let mut group = Group::new();
    fill(&mut group);
    block_on(group.run()).unwrap_err()
}

#[test]
fn a_service_fails_with_whatever_is_at_hand() {
    let error = end_of(|group| {
        group.add("printer", async |_| print());
    });
    assert_eq!(
        error.to_string(),
        "service `printer` failed: tray 2 is out of paper"
    );
    assert_eq!(error.find::<OutOfPaper>().unwrap().tray, 2);

    let error = end_of(|group| {
        group.add("printer", async |_| Err("a word"));
    });
    assert_eq!(error.to_string(), "service `printer` failed: a word");

    let error = end_of(|group| {
        group.add("printer", async |_| Err(format!("{} words", 2)));
    });
    assert_eq!(error.to_string(), "service `printer` failed: 2 words");

    let error = end_of(|group| {
        group.add(
            "printer",
            async |_| -> Result<(), Box<dyn StdError + Send + Sync>> {
                print()?;
                Err(io::Error::from(io::ErrorKind::BrokenPipe))?
            },
        );
    });
    assert_eq!(error.find::<OutOfPaper>().unwrap().tray, 2);

    let error = end_of(|group| {
        group.add("printer", async |_| {
            print().context("cannot print the report")?;
            anyhow::Ok(())
        });
    });
    assert_eq!(
        error.to_string(),
        "service `printer` failed: cannot print the report"
    );
    assert!(format!("{error:?}").contains("caused by: tray 2 is out of paper"));
    assert_eq!(error.find::<OutOfPaper>().unwrap().tray, 2);

    let error = end_of(|group| {
        group.add("printer", async |_| {
            println!("{}", "two".parse::<u8>().expect("a tray"));
        });
    });
    assert_eq!(
        error.panic_message(),
        Some("a tray: ParseIntError { kind: InvalidDigit }")
    );
}

/// A function that uses anyhow all through takes the group's error like any other.
#[test]
fn a_group_is_run_from_a_function_that_returns_anyhows_result() {
    fn program() -> anyhow::Result<()> {
        let mut group = Group::new();
        group.add("printer", async |_| print());
        block_on(group.run()).context("printing")?;
        Ok(())
    }
    let error = program().unwrap_err();
    let neap = error.downcast_ref::<Error>().unwrap();
    assert_eq!(neap.find::<OutOfPaper>().unwrap().tray, 2);
    assert_eq!(
        format!("{error:#}"),
        "printing: service `printer` failed: tray 2 is out of paper"
    );
}
