//! Go's errgroup, `WithContext` and goroutines that wait for its context: `go/errgroup/main.go`.
//!
//! Built when `go` and the package are there, by `go/errgroup/build`.

use std::path::{Path, PathBuf};
use std::process::Command;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn program() -> PathBuf {
    here().join("target/go/errgroup")
}

/// Builds the program; says why not, if it cannot be.
pub fn build() -> Result<(), String> {
    let build = Command::new(here().join("go/errgroup/build")).output();
    let build = build.map_err(|error| error.to_string())?;
    if build.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&build.stderr).trim().to_owned())
    }
}
