//! Signals belong to a process, so each story is a process of its own: this test binary again,
//! told by a variable which story to be.

#![cfg(all(unix, feature = "signal"))]

use std::future::pending;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::{StreamExt, future};
use neap::signal::{self, Signal};
use neap::{Group, OnExit};

/// The variable that names the story.
const STORY: &str = "NEAP_TEST_STORY";

/// No machine is so slow that a story takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// A story, told by a child process.
struct Told {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Told {
    /// Starts a story and waits until it says that it is ready.
    fn start(story: &str) -> Told {
        let mut told = Told::launch(story);
        told.expect("ready");
        told
    }

    fn launch(story: &str) -> Told {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--ignored", "--nocapture"])
            .env(STORY, story)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Told { child, lines }
    }

    /// Reads lines until this one.
    fn expect(&mut self, wanted: &str) {
        let mut line = String::new();
        while line.trim_end() != wanted {
            line.clear();
            assert_ne!(self.lines.read_line(&mut line).unwrap(), 0, "no `{wanted}`");
        }
    }

    fn send(&self, signal: Signal) {
        let number = (signal as i32).to_string();
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", &number, &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end; what it printed, and how it ended.
    fn end(mut self) -> (String, ExitStatus) {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begin.elapsed() < LIMIT, "still running");
            thread::sleep(Duration::from_millis(2));
        };
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        (rest, status)
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Longer than deliveries count as one.
fn pause() {
    thread::sleep(Duration::from_millis(150));
}

#[test]
fn the_first_signal_stops_and_the_cause_is_that_very_signal() {
    for (signal, name) in [(Signal::Int, "SIGINT"), (Signal::Term, "SIGTERM")] {
        let story = Told::start("obedient");
        story.send(signal);
        let (rest, status) = story.end();
        assert!(status.success(), "{status}");
        assert!(rest.contains(&format!("told by {name}")), "{rest}");
        assert!(rest.contains(&format!("stopped by {name} after")), "{rest}");
    }
}

#[test]
fn g12_a_second_signal_cancels_at_once() {
    let mut story = Told::start("deaf");
    story.send(Signal::Term);
    story.expect("told");
    pause();
    story.send(Signal::Term);
    let (rest, status) = story.end();
    assert_eq!(status.code(), Some(3), "{rest}");
    assert!(
        rest.contains("dropped") && rest.contains("`deaf`"),
        "{rest}"
    );
}

#[test]
fn g12_two_deliveries_close_together_count_as_one() {
    // On a slow machine two may come too far apart, which ends the child: then once more.
    for _ in 0..10 {
        let mut story = Told::start("deaf");
        let pid = story.child.id();
        let both = format!("kill -s INT {pid}; kill -s TERM {pid}");
        assert!(
            Command::new("sh")
                .args(["-c", &both])
                .status()
                .unwrap()
                .success()
        );
        story.expect("told");
        pause();
        if story.child.try_wait().unwrap().is_some() {
            continue;
        }
        story.send(Signal::Term);
        let (rest, status) = story.end();
        assert_eq!(status.code(), Some(3), "{rest}");
        return;
    }
    panic!("each time the second delivery cancelled");
}

#[test]
fn g12_a_program_whose_executor_is_stuck_is_ended_by_the_third() {
    let mut story = Told::start("stuck");
    for _ in 0..2 {
        story.send(Signal::Term);
        pause();
    }
    assert!(
        story.child.try_wait().unwrap().is_none(),
        "two are for the group"
    );
    story.send(Signal::Term);
    let (_, status) = story.end();
    assert_eq!(status.signal(), Some(Signal::Term as i32));
}

#[test]
fn g12_after_the_group_has_ended_the_default_action_is_back() {
    let story = Told::start("afterwards");
    story.send(Signal::Term);
    let (rest, status) = story.end();
    assert_eq!(status.signal(), Some(Signal::Term as i32), "{rest}");
}

#[test]
fn g12_a_second_group_hears_signals_again() {
    let mut story = Told::start("twice");
    story.send(Signal::Int);
    story.expect("ready again");
    pause();
    story.send(Signal::Int);
    let (rest, status) = story.end();
    assert!(status.success() && rest.contains("both ended"), "{rest}");
}

#[test]
fn g5_a_signal_before_run_is_remembered() {
    let (rest, status) = Told::launch("early").end();
    assert!(status.success(), "{rest}");
    assert!(
        rest.contains("stopped by SIGTERM") && !rest.contains("started"),
        "{rest}"
    );
}

#[test]
fn g13_a_signal_that_cannot_be_registered_is_an_error_before_anything_starts() {
    for (bad, text) in [
        (
            Signal::Kill,
            "cannot listen for SIGKILL: the operating system forbids it",
        ),
        (
            Signal::Stop,
            "cannot listen for SIGSTOP: the operating system forbids it",
        ),
        (
            Signal::Segv,
            "cannot listen for SIGSEGV: it tells of a fault of the program itself",
        ),
    ] {
        let error = signal::termination_by([Signal::Usr1, bad]).unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(error.outcome().map(|_| ()), None);
    }
}

#[test]
fn a_reload_is_a_stream_of_its_own_and_stops_nothing() {
    let mut story = Told::start("reload");
    for _ in 0..3 {
        story.send(Signal::Hup);
        story.expect("reloaded");
        pause();
    }
    story.send(Signal::Term);
    let (rest, status) = story.end();
    assert!(
        status.success() && rest.contains("stopped by SIGTERM"),
        "{rest}"
    );
}

#[test]
fn a_reload_that_was_dropped_acts_by_default_again() {
    let story = Told::start("no more reloads");
    story.send(Signal::Hup);
    let (rest, status) = story.end();
    assert_eq!(status.signal(), Some(Signal::Hup as i32), "{rest}");
}

/// Not a test: what the child processes run.
#[test]
#[ignore = "run by the other tests, as a process of its own"]
fn child() {
    match std::env::var(STORY).as_deref() {
        Ok("obedient") => {
            let mut group = terminable();
            group.add("obedient", |scope| async move {
                println!("ready");
                println!("told by {}", scope.stopped().await);
            });
            end(group)
        }
        Ok("deaf") => {
            let mut group = terminable().drain_timeout(Duration::MAX);
            group.add("deaf", |scope| async move {
                struct OnDrop;
                impl Drop for OnDrop {
                    fn drop(&mut self) {
                        println!("dropped");
                    }
                }
                let _on_drop = OnDrop;
                println!("ready");
                scope.stopped().await;
                println!("told");
                pending::<()>().await;
            });
            end(group)
        }
        Ok("stuck") => {
            let mut group = terminable();
            group.add("stuck", |_| async {
                println!("ready");
                thread::sleep(LIMIT);
            });
            end(group)
        }
        Ok("afterwards") => {
            let mut group = terminable();
            group.add("short", |_| async {}).on_exit(OnExit::Stop);
            future::block_on(group.run()).unwrap();
            println!("ready");
            thread::sleep(LIMIT);
        }
        Ok("twice") => {
            for ready in ["ready", "ready again"] {
                let mut group = terminable();
                group.add("service", move |scope| async move {
                    println!("{ready}");
                    scope.stopped().await;
                });
                future::block_on(group.run()).unwrap();
            }
            println!("both ended");
        }
        Ok("early") => {
            let mut group = terminable();
            group.add("late", |_| async { println!("started") });
            // To this very thread (raise(3)): one sent to the process may be taken by another thread,
            // and later.
            signal_hook::low_level::raise(Signal::Term as i32).unwrap();
            end(group)
        }
        Ok("reload") => {
            let mut reloads = signal::reload().unwrap();
            let mut group = terminable();
            group.race("reload", async move {
                println!("ready");
                while reloads.next().await == Some(Signal::Hup) {
                    println!("reloaded");
                }
            });
            end(group)
        }
        Ok("no more reloads") => {
            drop(signal::reload().unwrap());
            println!("ready");
            thread::sleep(LIMIT);
        }
        other => panic!("no such story: {other:?}"),
    }
}

fn terminable() -> Group<'static> {
    let mut group = Group::new();
    group.stop_on(signal::termination().unwrap());
    group
}

/// Runs a group, says how it ended, and ends the process accordingly.
fn end(group: Group<'_>) {
    match future::block_on(group.run()) {
        Ok(outcome) => println!("{outcome}"),
        Err(error) => {
            println!("{error:?}");
            std::process::exit(3);
        }
    }
}
