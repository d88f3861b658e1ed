//! Each example says what it is, if it is asked.

#![cfg(all(feature = "tide", feature = "systemd", feature = "tls"))]

mod support;

use std::path::Path;

use support::example;

/// Returns the names of the files in `examples/`.
fn names() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = files
        .filter_map(|file| {
            let name = file.unwrap().file_name().into_string().unwrap();
            Some(name.strip_suffix(".rs")?.to_owned())
        })
        .collect();
    names.sort();
    names
}

#[test]
fn each_example_prints_what_it_is_with_help() {
    for name in names() {
        let output = example(&name).arg("--help").output();
        let output = output.unwrap_or_else(|error| panic!("{name}: {error}"));
        let text = String::from_utf8_lossy(&output.stdout);
        let is_well = output.status.success() && output.stderr.is_empty();
        assert!(is_well, "{name}: {output:?}");
        assert!(text.lines().count() >= 3, "{name}: {text}");
        assert!(
            name == "hello" || text.contains(&format!("--example {name}")),
            "{name}: {text}"
        );
    }
}

#[test]
fn the_tour_names_each_example_once() {
    let tour = include_str!("../examples/README.md");
    for name in names() {
        assert_eq!(tour.matches(&format!("({name}.rs)")).count(), 1, "{name}");
    }
}

/// What the README shows of a stop has the place of an addition in it, which is that of today.
#[test]
fn the_readme_names_the_line_of_the_straggler() {
    let readme = include_str!("../README.md");
    let straggler = include_str!("../examples/straggler.rs");
    let line = straggler
        .lines()
        .position(|line| line.contains("group.add(\"mailer\""));
    let place = format!("added at examples/straggler.rs:{}:11)", line.unwrap() + 1);
    let places = readme.matches("added at examples/straggler.rs").count();
    assert_eq!(places, 2);
    assert_eq!(readme.matches(&place).count(), places, "{place}");
}
