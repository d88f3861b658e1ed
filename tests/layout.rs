//! The rules of the house: imports point one way and in no circle, files and functions are short.
//!
//! `cargo test --all-features --test layout -- --nocapture` draws which chapter imports which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The chapters of `src/`, each of which imports only from those before it.
const CHAPTERS: [&str; 17] = [
    "sync", "time", "executor", "stop", "service", "plan", "members", "outcome", "group",
    "provided", "restart", "systemd", "signal", "net", "http", "test", "guide",
];

/// A file of `src/` as a module: its path below the crate, and its text.
struct Module {
    file: PathBuf,
    text: String,
}

/// Returns the modules of the crate by their paths, such as `stop::token`.
fn modules() -> BTreeMap<String, Module> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut modules, mut folders) = (BTreeMap::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                folders.push(file);
            } else if file.extension().is_some_and(|extension| extension == "rs") {
                let path = file.strip_prefix(&root).unwrap().with_extension("");
                let names: Vec<_> = path.iter().map(|name| name.to_str().unwrap()).collect();
                let path = names.join("::");
                let path = path.strip_suffix("::mod").unwrap_or(&path).to_owned();
                let text = fs::read_to_string(&file).unwrap();
                modules.insert(path, Module { file, text });
            }
        }
    }
    modules.remove("lib");
    modules
}

/// Returns the paths that a module imports from its own crate.
///
/// Reads `use` lines alone, as rustfmt writes them: one path or one list to a line or several.
fn imports(path: &str, text: &str) -> Vec<String> {
    let mut imports = Vec::new();
    // Unit tests at the end of a file import from it.
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let line = line
            .trim_start_matches("pub ")
            .trim_start_matches("pub(crate) ");
        let Some(first) = line.trim_start_matches("pub(super) ").strip_prefix("use ") else {
            continue;
        };
        let mut statement = first.to_owned();
        while !statement.ends_with(';') {
            statement += lines.next().unwrap();
        }
        let statement: String = statement.trim_end_matches(';').split_whitespace().collect();
        let parent = path.rsplit_once("::").map_or("", |(parent, _)| parent);
        let statement = if let Some(rest) = statement.strip_prefix("crate::") {
            rest.to_owned()
        } else if let Some(rest) = statement.strip_prefix("super::super::") {
            let above = parent.rsplit_once("::").map_or("", |(above, _)| above);
            format!("{above}::{rest}")
        } else if let Some(rest) = statement.strip_prefix("super::") {
            format!("{parent}::{rest}")
        } else if let Some(rest) = statement.strip_prefix("self::") {
            format!("{path}::{rest}")
        } else {
            continue;
        };
        let statement = statement.trim_start_matches("::");
        match statement.split_once('{') {
            Some((prefix, list)) => imports.extend(
                list.trim_end_matches('}')
                    .split(',')
                    .map(|name| format!("{prefix}{name}")),
            ),
            None => imports.push(statement.to_owned()),
        }
    }
    imports
}

/// Returns the module that an imported path is in: its longest prefix that is one.
fn target<'m>(modules: &'m BTreeMap<String, Module>, import: &str) -> Option<&'m str> {
    let mut prefix = import;
    loop {
        if let Some((path, _)) = modules.get_key_value(prefix) {
            return Some(path);
        }
        prefix = prefix.rsplit_once("::")?.0;
    }
}

/// Returns which module imports from which others.
fn graph(modules: &BTreeMap<String, Module>) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut graph = BTreeMap::new();
    for (path, module) in modules {
        let targets = imports(path, &module.text);
        let targets = targets.iter().filter_map(|import| target(modules, import));
        let targets = targets.filter(|target| target != path).collect();
        graph.insert(path.as_str(), targets);
    }
    graph
}

fn chapter(path: &str) -> &str {
    path.split("::").next().unwrap()
}

fn place(chapter: &str) -> usize {
    CHAPTERS
        .iter()
        .position(|&name| name == chapter)
        .unwrap_or_else(|| panic!("`{chapter}` is not among the chapters"))
}

#[test]
fn imports_point_to_earlier_chapters() {
    let modules = modules();
    let graph = graph(&modules);
    let mut chapters: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut back = Vec::new();
    for (path, targets) in &graph {
        for target in targets {
            let (from, to) = (place(chapter(path)), place(chapter(target)));
            if from < to {
                back.push(format!("{path} imports {target}"));
            }
            if from != to {
                chapters.entry(from).or_default().insert(to);
            }
        }
    }
    for (from, to) in chapters {
        let to: Vec<_> = to.into_iter().map(|to| CHAPTERS[to]).collect();
        println!("{:>9} -> {}", CHAPTERS[from], to.join(", "));
    }
    assert!(back.is_empty(), "imports that point back: {back:#?}");
}

#[test]
fn imports_make_no_circle() {
    let modules = modules();
    let mut graph = graph(&modules);
    // What imports nothing that is left is in no circle; nor is what nothing imports.
    loop {
        let imported: BTreeSet<_> = graph.values().flatten().copied().collect();
        let before = graph.len();
        graph.retain(|path, targets| !targets.is_empty() && imported.contains(path));
        let left: BTreeSet<_> = graph.keys().copied().collect();
        for targets in graph.values_mut() {
            targets.retain(|target| left.contains(target));
        }
        if graph.len() == before {
            break;
        }
    }
    assert!(graph.is_empty(), "modules in a circle: {graph:#?}");
}

#[test]
fn files_are_shorter_than_400_lines() {
    let long: Vec<_> = modules()
        .into_values()
        .filter(|module| module.text.lines().count() >= 400)
        .map(|module| module.file)
        .collect();
    assert!(long.is_empty(), "too long: {long:#?}");
}

#[test]
fn functions_are_no_longer_than_40_lines() {
    let mut long = Vec::new();
    for (path, module) in modules() {
        let lines: Vec<_> = module.text.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let code = line.trim_start();
            let is_function = code.starts_with("fn ") || code.contains(" fn ");
            if code.starts_with("//") || !is_function || code.ends_with(';') {
                continue;
            }
            // As rustfmt writes it, a function ends where its indentation comes back. One of a trait may
            // have no body.
            let indent = &line[..line.len() - code.len()];
            let is_end = |line: &&str| match line.strip_prefix(indent) {
                Some(rest) => rest == "}" || rest.starts_with(')') && rest.ends_with(';'),
                None => false,
            };
            let length = lines[start..].iter().position(is_end);
            if length.is_some_and(|length| length >= 40) {
                long.push(format!("{path}: {code}"));
            }
        }
    }
    assert!(long.is_empty(), "too long: {long:#?}");
}

/// Rustdoc shows the methods of `Group` in the order of its modules, and links lead to the first of a
/// name: those of `LocalGroup` come later.
#[test]
fn the_page_of_group_begins_with_those_of_group() {
    let text = fs::read_to_string("src/group/mod.rs").unwrap();
    let line = |module: &str| {
        let end = format!("mod {module};");
        text.lines().position(|line| line.ends_with(&end)).unwrap()
    };
    assert!(line("shared") < line("settings"));
    assert!(line("settings") < line("local"));
}
