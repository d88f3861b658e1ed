//! Guarantee 12: no signal but a termination is merged with another, or lost.

#![cfg(all(unix, feature = "signal"))]

use std::process::Stdio;

use futures_lite::{StreamExt, future};
use neap::signal::{self, Signal, Signals};

use crate::story::{LIMIT, command, end_within, told};

fn tell(story: &str) {
    let mut command = command("signals", story);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let status =
        end_within(&mut child, LIMIT).expect("the process waits for a signal that is lost");
    assert!(status.success(), "{status}");
}

#[test]
fn g12_a_signal_right_after_another_one_is_heard() {
    tell("another");
}

#[test]
fn g12_a_reload_right_after_one_that_was_handled_is_heard() {
    tell("again");
}

/// Raises a signal and waits for it.
fn raise_and_hear(signals: &mut Signals, signal: Signal) {
    signal_hook::low_level::raise(signal as i32).unwrap();
    assert_eq!(future::block_on(signals.next()), Some(signal));
}

/// Not a test: what the child processes run. One that misses a signal waits for ever.
#[test]
#[ignore = "run by the other tests, as a process of its own"]
fn child() {
    match told().as_deref() {
        Some("another") => {
            let mut signals = signal::listen([Signal::Usr1, Signal::Usr2]).unwrap();
            for signal in [Signal::Usr1, Signal::Usr2, Signal::Usr1] {
                raise_and_hear(&mut signals, signal);
            }
        }
        Some("again") => {
            let mut reloads = signal::reload().unwrap();
            for _ in 0..3 {
                raise_and_hear(&mut reloads, Signal::Hup);
            }
        }
        _ => {}
    }
}
