//! `--help` of the examples: what each says at its top.

use std::io::Write;

/// Prints what an example says of itself, and exits, if the command line asks for it. Behind `--` it is not
/// asked.
pub(crate) fn on_request(source: &str) {
    let mut arguments = std::env::args().skip(1).take_while(|word| word != "--");
    if !arguments.any(|word| word == "--help" || word == "-h") {
        return;
    }
    let mut text = String::new();
    for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
        let line = line.strip_prefix(' ').unwrap_or(line);
        if !line.starts_with("```") {
            text.push_str(line);
            text.push('\n');
        }
    }
    // Who does not read on, as `head` does, is no error.
    let _ = std::io::stdout().write_all(text.as_bytes());
    std::process::exit(0);
}
