//! The examples as a person runs them, on a terminal: there Ctrl-C reaches every process of the job, and standard
//! output and standard error are one. The terminal is that of script(1).

#![cfg(all(
    target_os = "linux",
    feature = "tide",
    feature = "systemd",
    feature = "tls"
))]

mod support;

use std::process::{Command, Stdio};

use support::{Process, example, has};

/// Starts an example on a terminal of its own; `None` where there is no script(1).
fn on_a_terminal(name: &str, words: &[&str]) -> Option<Process> {
    if !has("script", "--version") {
        return None;
    }
    let program = example(name);
    // Not by a shell that stays: the program itself is the job.
    let mut line = format!("exec '{}'", program.get_program().to_str().unwrap());
    for word in words {
        line.push_str(&format!(" '{word}'"));
    }
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.env_remove("RUST_LOG").stdin(Stdio::piped());
    Some(Process::read_stdout(&mut script))
}

const CTRL_C: &str = "\x03";

#[test]
fn ctrl_c_ends_hello_well() {
    let Some(mut hello) = on_a_terminal("hello", &["--addr", "127.0.0.1:0"]) else {
        return;
    };
    hello.read_until(" listens on ");
    hello.type_keys(CTRL_C);
    let (status, said) = hello.wait();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(said.contains("stopped by SIGINT, "), "{said}");
}

#[test]
fn ctrl_c_twice_cancels() {
    let Some(mut example) = on_a_terminal("ctrl_c_twice", &[]) else {
        return;
    };
    example.read_until("press Ctrl-C");
    example.type_keys(CTRL_C);
    // In a second at the most, and by then the second one is none that is merged with the first.
    example.read_until("still draining: `import`");
    example.type_keys(CTRL_C);
    let (status, said) = example.wait();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("transaction: rolled back"), "{said}");
    assert!(said.contains("was cancelled by a second SIGINT"), "{said}");
}

/// Ctrl-C reaches the parent and its program, and the parent passes it on as well: the program has two, of which it
/// takes the second for the first.
#[test]
fn ctrl_c_ends_a_parent_and_its_program_well() {
    let systemd = example("systemd");
    let program = systemd.get_program().to_str().unwrap();
    let words = ["http=127.0.0.1:0", "--", program];
    let Some(mut handover) = on_a_terminal("handover", &words) else {
        return;
    };
    handover.read_until("`http` listens on ");
    handover.type_keys(CTRL_C);
    let (status, said) = handover.wait();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(!said.contains("cancelled"), "{said}");
}

/// Replaces each time in a line, as no two runs have the same.
fn without_times(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let time = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        let number = time.trim_end_matches(|letter: char| letter.is_alphabetic());
        match number.parse::<f64>() {
            Ok(_) if time.ends_with('s') => word.replace(time, "*"),
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The lines of a stop, of which what is said once a second is there once.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text.lines().map(without_times).collect();
    let mut ticks = 0;
    lines.retain(|line| {
        ticks += usize::from(line.starts_with("neap: still draining"));
        !line.starts_with("neap: still draining") || ticks == 1
    });
    lines
}

#[test]
fn a_straggler_says_what_the_readme_shows() {
    let Some(mut straggler) = on_a_terminal("straggler", &[]) else {
        return;
    };
    straggler.read_until("press Ctrl-C");
    straggler.type_keys(CTRL_C);
    let (status, said) = straggler.wait();
    assert_eq!(status.code(), Some(1), "{said}");
    let readme = include_str!("../README.md");
    let (_, shown) = readme
        .split_once("`cargo run --example straggler`")
        .unwrap();
    let shown = shown.split("```").nth(1).unwrap();
    let shown = shown.strip_prefix("text\n").unwrap();
    // A terminal shows the key, and ends lines in its own way.
    let said = said.replace("\r\n", "\n").replace("^C", "");
    assert_eq!(lines(&said), lines(shown));
}
